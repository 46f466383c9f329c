import { join } from "node:path";
import { askDaemon } from "#admin";
import { type DnsAnswer, type DnsRecord, query } from "#dns";
import type { Explanation } from "#gateway";
import { type HostPort, ok, parseHostPort, type Result } from "#values";
import { asking, print } from "./ask.ts";
import { table } from "./table.ts";
import { type Call, CONFIG, DATA, type ExitCode, fail, OUTPUT, refuse, type Verb } from "./verb.ts";

/** dig asks a name as a pod would, and says beside the answer where it came from. */
export const digVerb: Verb = {
  name: "dig",
  summary: "ask a name as a pod would, and say where the answer came from",
  example: "meridian dig web.shop.svc.clusterset.local SRV",
  args: [
    { name: "name", help: "a whole name, as web.shop.svc.clusterset.local" },
    { name: "type", help: "record type, as AAAA or SRV; A if left out", optional: true },
  ],
  settings: [
    CONFIG,
    DATA,
    OUTPUT,
    { flag: "at", value: "HOST:PORT", help: "the responder to ask", fallback: "127.0.0.1:5353" },
    { flag: "tcp", value: null, help: "ask by TCP at once" },
  ],
  async run(call) {
    const { reader, dir, json } = asking(call);
    const server = reader.one("at", (text) => parseHostPort(text, 53), "127.0.0.1:5353");
    const tcp = reader.on("tcp");
    if (reader.faults.length > 0 || server === null) return refuse(call.around, reader.faults);
    const [name = "", type = "A"] = call.args;
    const answer = await query({ server, name, type, tcp, recurse: true }, call.signal);
    if (!answer.ok) {
      const { kind, detail } = answer.error;
      const about = `${server.host}:${server.port}`;
      return kind === "bad-question"
        ? refuse(call.around, [detail])
        : fail(call.around, `${about}: ${kind}: ${detail}`);
    }
    return show(call, { name, type, server, answer: answer.value, explanation: await explain(call, dir, name) }, json);
  },
};

interface Found {
  readonly name: string;
  readonly type: string;
  readonly server: HostPort;
  readonly answer: DnsAnswer;
  readonly explanation: Explanation | null;
}

/** A gateway on this host knows why; without one the answer has to speak for itself. */
async function explain({ signal }: Call, dir: string, name: string): Promise<Explanation | null> {
  const question = { method: "GET", path: "/v1/explain", query: { q: name }, signal, onProgress: () => {} } as const;
  const told: Result<unknown, unknown> = await askDaemon(join(dir, "admin.sock"), question);
  const found = told.ok ? ok(told.value as Explanation) : told;
  return found.ok ? found.value : null;
}

/** show prints the answer; exit code 0 where there is one. */
function show(call: Call, { name, type, server, answer, explanation }: Found, json: boolean): ExitCode {
  const origin = originOf(answer);
  const question = { name, type: type.toUpperCase(), server: `${server.host}:${server.port}` };
  const { rcode, authoritative, truncated, answers, authorities, additionals, extendedError = null } = answer;
  const result = { question, rcode, authoritative, truncated, answers, authorities, additionals, extendedError };
  print(call, json, { ...result, origin, explanation }, () => {
    const rows = answers.map((record) => [record.name, String(record.ttl), record.type, record.data]);
    const records = rows.length === 0 ? "" : `${table(["NAME", "TTL", "TYPE", "DATA"], rows)}\n`;
    const steps = explanation?.steps.map(({ stage, subject, verdict, why }) => [stage, subject, verdict, why]) ?? [];
    const reasons =
      steps.length === 0 ? "" : `\n${explanation?.reason}\n${table(["STAGE", "SUBJECT", "VERDICT", "WHY"], steps)}`;
    return `${rcode}${authoritative ? ", from the zone itself" : ""}\n${records}${origin.map((line) => `${line}\n`).join("")}${reasons}`;
  });
  return answers.length > 0 ? 0 : 1;
}

/** originOf says what the answer itself tells: its zone, its clusters, how old the zone is, why there is nothing. */
function originOf({ rcode, answers, authorities, authoritative, extendedError }: DnsAnswer): readonly string[] {
  const soa = authorities.find(({ type }) => type === "SOA");
  const clusters = [...new Set(answers.flatMap(clusterOf))];
  const serial = Number(soa?.data.split(" ")[2] ?? Number.NaN);
  return [
    ...(clusters.length === 0 ? [] : [`clusters: ${clusters.join(", ")}`]),
    ...(soa === undefined
      ? []
      : [`zone ${soa.name}: as of ${new Date(serial * 1000).toISOString()} (serial ${serial})`]),
    ...(rcode === "REFUSED" ? ["no zone of this responder has the name: ask the resolver that forwards here"] : []),
    ...(extendedError === 14
      ? ["the responder has not read its sources completely: unknown names are not denied yet"]
      : []),
    ...(rcode === "NOERROR" && answers.length === 0 ? ["the name exists, but has no record of this type"] : []),
    ...(authoritative || rcode !== "NOERROR" ? [] : ["answered by a cache or a forwarder, not by the zone itself"]),
  ];
}

/** An endpoint's target is `<hostname>.<cluster>.<service>.<namespace>.svc.<zone>`. */
function clusterOf({ type, data }: DnsRecord): readonly string[] {
  const labels = (type === "SRV" ? (data.split(" ")[3] ?? "") : "").split(".");
  const cluster = labels[4] === "svc" ? labels[1] : undefined;
  return cluster === undefined ? [] : [cluster];
}
