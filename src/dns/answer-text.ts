import { Packet } from "dns2";
import { err, ok, type Result } from "#values";
import { rcodeText, typeText } from "./iana.ts";
import { isSoundMessage } from "./message-check.ts";

/** DnsRecord is a record in presentation form. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  readonly data: string;
}

/** DnsAnswer is a reply as people read it. */
export interface DnsAnswer {
  readonly id: number;
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  /** Without the OPT record. */
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
  /** Whether the reply has an OPT record, and the extended error in it (RFC 8914). */
  readonly edns: boolean;
  readonly extendedError: number | undefined;
  /** Length of the message. */
  readonly bytes: number;
}

const OPT = 41;

type Fields = Readonly<Record<string, unknown>>;

/** decodeAnswer reads a reply with dns2's decoder: not the codec that wrote it, so the two check each other. */
export function decodeAnswer(message: Uint8Array): Result<DnsAnswer> {
  if (!isSoundMessage(message)) return err("not a DNS message");
  try {
    const packet = Packet.parse(Buffer.from(message.buffer, message.byteOffset, message.length));
    const [fault] = packet.errors;
    if (fault !== undefined) return err(fault.message);
    const opt = packet.additionals.find(({ type }) => type === OPT);
    return ok({
      id: packet.header.id,
      rcode: rcodeText(packet.header.rcode),
      authoritative: packet.header.aa === 1,
      truncated: packet.header.tc === 1,
      answers: packet.answers.map(record),
      authorities: packet.authorities.map(record),
      additionals: packet.additionals.filter(({ type }) => type !== OPT).map(record),
      edns: opt !== undefined,
      extendedError: opt === undefined ? undefined : extendedError(fieldsOf(opt)),
      bytes: message.length,
    });
  } catch (reason) {
    return err(`not a DNS message: ${String(reason)}`);
  }
}

/** dns2 types the fields of records one by one; which there are depends on the type. */
function fieldsOf(value: object): Fields {
  return value as unknown as Fields;
}

function record(resource: { name: string; type: number; ttl: number }): DnsRecord {
  const { name, type, ttl } = resource;
  return { name, type: typeText(type), ttl, data: dataText(fieldsOf(resource)) };
}

/** dataText shows record data as zone files do; types without a decoder in the form of RFC 3597 section 5. */
function dataText(fields: Fields): string {
  const join = (...names: readonly string[]): string => names.map((name) => String(fields[name])).join(" ");
  if ("address" in fields) return join("address");
  if ("target" in fields) return join("priority", "weight", "port", "target");
  if ("primary" in fields) return join("primary", "admin", "serial", "refresh", "retry", "expiration", "minimum");
  if ("ns" in fields) return join("ns");
  if ("exchange" in fields) return join("priority", "exchange");
  if ("domain" in fields) return join("domain");
  const { data } = fields;
  if (Array.isArray(data)) return data.map((text) => JSON.stringify(text)).join(" ");
  return data instanceof Uint8Array ? `\\# ${data.length} ${data.toHex()}` : JSON.stringify(data ?? "");
}

/** extendedError is the first EDE option's code. */
function extendedError({ rdata }: Fields): number | undefined {
  const options = Array.isArray(rdata) ? (rdata as readonly Fields[]) : [];
  const found = options.find(({ ednsCode }) => ednsCode === 15);
  return typeof found?.["infoCode"] === "number" ? found["infoCode"] : undefined;
}
