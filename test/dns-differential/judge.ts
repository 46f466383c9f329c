import type { Oracle } from "./oracle.ts";
import type { Query } from "./random-query.ts";
import type { Message } from "./read-message.ts";

const EDNS_MOST = 1232;
const OPT_BYTES = 11;

/** judge gives what is wrong with a reply to a query by UDP, by the oracle; undefined where nothing is. */
export function judge(oracle: Oracle, query: Query, reply: Message): string | undefined {
  const want = expected(oracle, query);
  if (reply.rcode !== want.rcode) return `response code ${reply.rcode}, not ${want.rcode}`;
  if (reply.question !== query.labels.join(".")) return `the question comes back as ${reply.question}`;
  if (reply.authoritative !== (want.rcode !== "REFUSED")) return "the AA bit is wrong";
  if (reply.edns !== (query.size !== undefined)) return "OPT without being asked, or none though asked";
  if (reply.bytes > limitOf(query)) return `${reply.bytes} octets, more than the asker takes`;
  return judgeAnswers(oracle, query, reply, want.records) ?? judgeAuthority(oracle, query, reply, want.negative);
}

interface Expected {
  readonly rcode: string;
  /** Type and data of each record of the answer. */
  readonly records: ReadonlySet<string>;
  /** Whether an SOA says how long the absence may be kept. */
  readonly negative: boolean;
}

/** expected is what the specifications say of a query. */
export function expected(oracle: Oracle, query: Query): Expected {
  const name = below(oracle, query);
  const none = new Set<string>();
  if (name === undefined || query.class !== 1) return { rcode: "REFUSED", records: none, negative: false };
  const sets = oracle.names.get(name);
  if (sets === undefined) return { rcode: "NXDOMAIN", records: none, negative: true };
  const records = recordsOf(oracle, name, sets, query.type);
  return { rcode: "NOERROR", records, negative: records.size === 0 };
}

function recordsOf(oracle: Oracle, name: string, sets: ReadonlyMap<string, ReadonlySet<string>>, type: string) {
  // RFC 8482: one HINFO stands for whatever there is.
  if (type === "ANY") return new Set(sets.size > 0 ? ['HINFO "RFC8482" ""'] : []);
  if (type === "SOA" && name === "") return new Set([soaOf(oracle)]);
  return new Set([...(sets.get(type) ?? [])].map((data) => `${type} ${data}`));
}

/** soaOf leaves out the serial, which is the time of the last change. */
function soaOf({ origin, ttl }: Oracle): string {
  return `SOA ns.dns.${origin} hostmaster.${origin} 7200 1800 86400 ${ttl}`;
}

/** below is the folded name without the origin; undefined outside of it. */
function below({ origin }: Oracle, { labels }: Query): string | undefined {
  const name = labels.join(".").toLowerCase();
  if (name === origin) return "";
  return name.endsWith(`.${origin}`) ? name.slice(0, -origin.length - 1) : undefined;
}

/** judgeAnswers: all records, each once; or, with TC, some of them, where all would not have fitted. */
function judgeAnswers(oracle: Oracle, query: Query, reply: Message, want: ReadonlySet<string>): string | undefined {
  const got = reply.answers.map(({ type, data }) => `${type} ${data.toLowerCase()}`);
  const folded = new Set(
    [...want].map((text) => text.replace(/^(\w+ )(.*)$/s, (_, type, data) => type + data.toLowerCase())),
  );
  const stray = got.find((text) => !folded.has(text));
  if (stray !== undefined) return `the answer holds ${stray}, not ${[...folded].slice(0, 5).join("; ")}`;
  if (new Set(got).size !== got.length) return "a record comes twice";
  const owner = reply.answers.find(({ name }) => name !== query.labels.join("."));
  if (owner !== undefined) return `an owner is spelt ${owner.name}`;
  const ttl = query.type === "TXT" ? 28_800 : oracle.ttl;
  if (reply.answers.some((record) => record.ttl !== ttl)) return "a lifetime is wrong";
  const fits = fullBytes(query, [...want]) <= limitOf(query);
  if (reply.truncated === fits) return fits ? "cut though it fits" : "not cut though it does not fit";
  return !reply.truncated && got.length !== want.size ? `${got.length} of ${want.size} records` : undefined;
}

function judgeAuthority(oracle: Oracle, query: Query, reply: Message, negative: boolean): string | undefined {
  const got = reply.authorities.map(({ type, data }) => `${type} ${data}`.toLowerCase());
  const want = negative ? [soaOf(oracle).toLowerCase()] : [];
  if (got.join() !== want.join()) return `the authority holds ${got.join()}, not ${want.join()}`;
  const spelled = query.labels.slice(-oracle.origin.split(".").length).join(".");
  return reply.authorities.some(({ name }) => name !== spelled)
    ? "the SOA's owner is not the origin as asked"
    : undefined;
}

function limitOf({ size }: Query): number {
  return size === undefined ? 512 : Math.min(EDNS_MOST, Math.max(512, size));
}

/** fullBytes is the size of a reply with all records, each owned by a pointer to the question. */
function fullBytes({ labels, size }: Query, records: readonly string[]): number {
  const question = labels.reduce((sum, label) => sum + label.length + 1, 1) + 4;
  const data = records.reduce((sum, text) => sum + 12 + dataBytes(text), 0);
  return 12 + question + data + (size === undefined ? 0 : OPT_BYTES);
}

/** dataBytes counts record data: SRV targets stand uncompressed (RFC 2782). The others of variable length are short. */
function dataBytes(text: string): number {
  const [type = "", ...fields] = text.split(" ");
  if (type === "A") return 4;
  if (type === "AAAA") return 16;
  return type === "SRV" ? 6 + (fields[3]?.length ?? 0) + 2 : 40;
}
