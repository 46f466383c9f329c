import { type LoggedQuery, rcodeText, typeText } from "#dns";
import { type HostPort, type Ip, ipFrom } from "#values";

/** What a line may name, as CoreDNS's log plugin has it (plugin/pkg/replacer). */
type Field = (query: LoggedQuery, at: HostPort | undefined) => string;

const FIELDS: Readonly<Record<string, Field>> = {
  type: ({ question }) => questionType(question),
  class: ({ question }) => classText(u16(question, nameEnd(question) + 2)),
  name: ({ question }) => nameText(question),
  proto: ({ tcp }) => (tcp ? "tcp" : "udp"),
  remote: ({ address }) => hostText(ipOf(address)),
  local: (_, at) => (at === undefined ? "-" : hostText(at.host)),
  port: ({ port }) => String(port),
  size: ({ bytes }) => String(bytes),
  rcode: ({ replied, rcode }) => (replied ? rcodeText(rcode) : "-"),
  rsize: ({ replyBytes }) => String(replyBytes),
  duration: ({ seconds }) => `${Number(seconds.toFixed(9))}s`,
  ">rflags": ({ replied, replyHeader }) => (replied ? flagsText(replyHeader) : "-"),
  ">bufsize": ({ edns, udpSize }) => String(edns ? udpSize : 512),
  ">do": ({ dnssecOk }) => String(dnssecOk),
  ">id": ({ queryHeader }) => String(u16(queryHeader, 0)),
  ">opcode": ({ queryHeader }) => String(((queryHeader[2] ?? 0) >> 3) & 15),
};

/** logLine fills in a format. What there is no value for is a dash; so are metadata, of which there are none. */
export function logLine(format: string, query: LoggedQuery, at: HostPort | undefined): string {
  return format.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field !== undefined) return field(query, at);
    return name.startsWith("/") || name.startsWith(">") ? "-" : whole;
  });
}

/** nameText is the question's name in lower case with its dot. What is no plain letter is escaped as in zone files, so
 *  that no name can break a line or a terminal (CWE-117). */
export function nameText(question: Uint8Array): string {
  let text = "";
  for (let at = 0; (question[at] ?? 0) !== 0; at += 1 + (question[at] ?? 0)) {
    for (const octet of question.subarray(at + 1, at + 1 + (question[at] ?? 0))) text += octetText(octet);
    text += ".";
  }
  return text === "" ? "." : text;
}

function octetText(octet: number): string {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, "0")}`;
  const letter = String.fromCharCode(octet).toLowerCase();
  return /[."\\();@$]/.test(letter) ? `\\${letter}` : letter;
}

/** questionType is the type asked for. */
export function questionType(question: Uint8Array): string {
  return typeText(u16(question, nameEnd(question)));
}

/** An address in network order; undefined where a client was gone before it could be asked for. */
function ipOf(octets: Uint8Array): Ip | undefined {
  if (octets.length === 4) return octets.join(".") as Ip;
  return octets.length === 16 ? ipFrom(6, BigInt(`0x${octets.toHex()}`)) : undefined;
}

function nameEnd(question: Uint8Array): number {
  let at = 0;
  while ((question[at] ?? 0) !== 0) at += 1 + (question[at] ?? 0);
  return at + 1;
}

function classText(value: number): string {
  const known: Readonly<Record<number, string>> = { 1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY" };
  return known[value] ?? `CLASS${value}`;
}

/** Flags of a reply in CoreDNS's order. */
function flagsText(header: Uint8Array): string {
  const [high = 0, low = 0] = [header[2], header[3]];
  const set: readonly (readonly [string, number])[] = [
    ["qr", high & 0x80],
    ["aa", high & 0x04],
    ["tc", high & 0x02],
    ["rd", high & 0x01],
    ["ra", low & 0x80],
    ["z", low & 0x40],
    ["ad", low & 0x20],
    ["cd", low & 0x10],
  ];
  return set.flatMap(([name, bit]) => (bit === 0 ? [] : [name])).join();
}

function hostText(host: Ip | undefined): string {
  if (host === undefined) return "-";
  return host.includes(":") ? `[${host}]` : host;
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}
