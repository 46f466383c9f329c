import { randomInt } from "node:crypto";
import { err, type HostPort, ok, type Result } from "#values";
import type { DnsAnswer } from "./answer-text.ts";
import { exchangeTcp, exchangeUdp, type QueryFault } from "./exchange.ts";
import { CLASS_IN, EDNS_SIZE, HEADER, TYPE, typeNumber } from "./iana.ts";
import { RrWriter } from "./rr-writer.ts";
import { encodeName, FOLD } from "./wire-name.ts";

export interface DnsQuestion {
  readonly server: HostPort;
  /** `web.shop.svc.clusterset.local`, with or without a dot at the end. */
  readonly name: string;
  /** `A`, `SRV`, `TYPE666`. */
  readonly type: string;
  /** Ask by TCP at once; otherwise only when a UDP reply was cut. */
  readonly tcp?: boolean;
  /** Ask for recursion, as programs do: resolvers refuse to look further without it. */
  readonly recurse?: boolean;
  /** For each try, in milliseconds. */
  readonly timeoutMs?: number;
  /** UDP messages sent at most. */
  readonly tries?: number;
}

/** query asks one server one question (no search list, and no recursion unless told). It returns within tries × timeout and
 *  one timeout more for TCP; it rejects only when the signal aborts. */
export async function query(question: DnsQuestion, signal: AbortSignal): Promise<Result<DnsAnswer, QueryFault>> {
  const { server, tcp = false, timeoutMs = 2000, tries = 2 } = question;
  const message = encodeQuery(question);
  if (!message.ok) return err({ kind: "bad-question", detail: message.error });
  const exchange = { server, message: message.value, accepts: (reply: Uint8Array) => isReply(message.value, reply) };
  const limited = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  for (let left = tries; !tcp && left > 0; left--) {
    const reply = await exchangeUdp({ ...exchange, signal: limited() });
    if (!reply.ok && reply.error.kind === "timeout" && left > 1) continue;
    if (!reply.ok) return reply;
    if (!isCut(reply.value)) return decode(reply.value);
    break;
  }
  const reply = await exchangeTcp({ ...exchange, signal: limited() });
  return reply.ok ? decode(reply.value) : reply;
}

/** encodeQuery makes a query with a random id (RFC 5452) and an OPT record. */
export function encodeQuery({
  name,
  type,
  recurse = false,
}: Pick<DnsQuestion, "name" | "type" | "recurse">): Result<Uint8Array> {
  const octets = encodeName(name);
  if (!octets.ok) return octets;
  const number = typeNumber(type);
  if (number === undefined) return err(`not a record type: ${JSON.stringify(type.slice(0, 20))}`);
  const writer = new RrWriter()
    .u16(randomInt(0x10000))
    .u16(recurse ? 0x0100 : 0)
    .u16(1)
    .u16(0)
    .u16(0)
    .u16(1);
  writer.octets(octets.value).u16(number).u16(CLASS_IN);
  writer.octets(Uint8Array.of(0)).u16(TYPE.OPT).u16(EDNS_SIZE).u32(0).u16(0);
  return ok(writer.take());
}

/** isReply reports whether a message is a response with our id and our question, in whatever case. */
function isReply(asked: Uint8Array, reply: Uint8Array): boolean {
  const questionEnd = asked.length - 11;
  if (reply.length < HEADER || ((reply[2] ?? 0) & 0x80) === 0) return false;
  if (reply[0] !== asked[0] || reply[1] !== asked[1]) return false;
  if (reply[5] === 0) return reply.length === HEADER; // an error that echoes no question
  for (let i = HEADER; i < questionEnd; i++) {
    if (FOLD[reply[i] ?? 0] !== FOLD[asked[i] ?? 0]) return false;
  }
  return reply.length >= questionEnd;
}

/** Whether TC is set: the rest is to be had by TCP. */
function isCut(reply: Uint8Array): boolean {
  return ((reply[2] ?? 0) & 0x02) !== 0;
}

/** The decoder is loaded with the first reply: a server that only answers has no use for it. */
async function decode(reply: Uint8Array): Promise<Result<DnsAnswer, QueryFault>> {
  const { decodeAnswer } = await import("./answer-text.ts");
  const answer = decodeAnswer(reply);
  return answer.ok ? answer : err({ kind: "malformed", detail: answer.error });
}
