import { join } from "node:path";
import { askBroker, askDaemon } from "#admin";
import { parseClusterId, type Result } from "#values";
import { asking } from "./ask.ts";
import { httpUrl, span, wholeNumber } from "./parsers.ts";
import type { Reader } from "./reader.ts";
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
    const { reader, dir, json } = asking(call);
    const body = {
      cluster: reader.one("cluster", parseClusterId),
      ttlSeconds: (reader.one("ttl", span("1s", "30d"), "15m") ?? 0) / 1000,
      uses: reader.one("uses", wholeNumber(1, 1000), "1") ?? 1,
    };
    const to = reader.missing("broker") ? onThisHost(reader, dir) : elsewhere(reader);
    if (reader.faults.length > 0 || to === null) return refuse(call.around, reader.faults);
    const answer = await to(body, call.signal);
    return answer.ok ? show(call, answer.value, json) : fail(call.around, answer.error.message);
  },
};

type Ask = (body: unknown, signal: AbortSignal) => Promise<Result<unknown, { readonly message: string }>>;

/** The broker of --data. What only --broker needs would do nothing, so whoever gives it as a flag meant another. */
function onThisHost(reader: Reader, dir: string): Ask {
  for (const flag of ["token-file", "ca-file"])
    if (reader.placeOf(flag) === `--${flag}` && reader.has(flag))
      reader.fault(flag, "is for --broker: give --broker https://HOST:PORT, too, or leave it out");
  const socket = join(dir, "admin.sock");
  return async (body, signal) => {
    const answer = await askDaemon(socket, { method: "POST", path: "/v1/invites", body, signal });
    if (answer.ok) return answer;
    const { code, message } = answer.error;
    const start = "start one with `meridian broker`, give its --data, or --broker URL with --token-file";
    if (code === "not-running") return { ok: false, error: { message: `no broker answers at ${socket}: ${start}` } };
    const stranger = code === "refused" && /there is no such path/.test(message);
    return stranger ? { ok: false, error: { message: `the daemon of ${dir} is no broker: give its --data` } } : answer;
  };
}

/** A broker by its URL, with the admin token from a file. */
function elsewhere(reader: Reader): Ask | null {
  const url = reader.one("broker", httpUrl);
  if (reader.missing("token-file"))
    reader.faults.push("--token-file is missing: give a file with the broker's admin token (its DATA/admin.token)");
  const token = reader.secret("token");
  const ca = reader.file("ca-file");
  if (url === null || token === null) return null;
  return (body, signal) => askBroker({ url, token, ca, method: "POST", path: "/v1/invites", body, signal });
}

function show({ around }: Call, answer: unknown, json: boolean): ExitCode {
  const { token } = answer as { readonly token?: string };
  if (token === undefined) return fail(around, "the broker's answer holds no token");
  around.out(json ? `${JSON.stringify(answer)}\n` : `${token}\n`);
  return 0;
}
