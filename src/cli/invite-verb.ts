import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { askBroker, askDaemon } from "#admin";
import { parseClusterId, type Result } from "#values";
import { path } from "./daemon-log.ts";
import { duration, oneOf, url, wholeNumber } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { type Call, CONFIG, DATA, type ExitCode, fail, OUTPUT, refuse, type Verb } from "./verb.ts";

/** invite prints one join token, through the broker's admin API: on its own host by the socket in its data folder. */
export const inviteVerb: Verb = {
  name: "invite",
  summary: "print one join token on stdout",
  example: "meridian invite --data /var/lib/meridian-broker --cluster amber --ttl 15m",
  settings: [
    CONFIG,
    DATA,
    OUTPUT,
    { flag: "broker", value: "URL", help: "https://HOST:PORT of the broker's admin API, when it is not on this host" },
    { flag: "token-file", value: "FILE", help: "admin token for --broker" },
    { flag: "ca-file", value: "FILE", help: "the broker's ca.crt, for an https --broker" },
    { flag: "cluster", value: "ID", help: "the only cluster that may use it" },
    { flag: "ttl", value: "SPAN", help: "how long it may be used", fallback: "15m" },
    { flag: "uses", value: "N", help: "how many clusters may use it", fallback: "1" },
  ],
  async run(call) {
    const reader = new Reader(call.given);
    const ask = {
      cluster: reader.one("cluster", parseClusterId),
      ttlSeconds: (reader.one("ttl", duration, "15m") ?? 0) / 1000,
      uses: reader.one("uses", wholeNumber(1, 1000), "1") ?? 1,
    };
    const output = reader.one("output", oneOf("json", "table"), "table");
    const to = destination(reader);
    if (reader.faults.length > 0 || to === null) return refuse(call.around, reader.faults);
    const answer = await to(ask, call.signal);
    return answer.ok ? show(call, answer.value, output) : fail(call.around, answer.error.message);
  },
};

type Ask = (body: unknown, signal: AbortSignal) => Promise<Result<unknown, { readonly message: string }>>;

/** destination finds the broker: by URL and token file, or by the data folder of the one on this host. */
function destination(reader: Reader): Ask | null {
  const broker = reader.one("broker", url("https:", "http:"));
  const dataDir = reader.one("data", path, "/var/lib/meridian") ?? "";
  if (broker === null && !reader.has("broker")) {
    return (body, signal) =>
      askDaemon(join(dataDir, "admin.sock"), { method: "POST", path: "/v1/invites", body, signal });
  }
  if (!reader.has("token-file"))
    reader.fault("--token-file is missing: give a file with the broker's admin token (DATA/admin.token)");
  const token = reader.secret("token");
  const caFile = reader.one("ca-file", path);
  if (caFile !== null && !existsSync(caFile)) reader.fault(`--ca-file ${caFile}: there is no such file`);
  if (broker === null || token === null || reader.faults.length > 0) return null;
  const ca = caFile === null ? null : readFileSync(caFile, "utf8");
  return (body, signal) => askBroker({ url: broker, token, ca, method: "POST", path: "/v1/invites", body, signal });
}

function show({ around }: Call, answer: unknown, output: "json" | "table" | null): ExitCode {
  const { token } = answer as { readonly token?: string };
  around.out(output === "json" ? `${JSON.stringify(answer)}\n` : `${token}\n`);
  return 0;
}
