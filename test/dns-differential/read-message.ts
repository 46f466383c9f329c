/** Message is a reply, read by a decoder that shares nothing with the one that wrote it and forgives nothing. */
export interface Message {
  readonly id: number;
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  /** In the spelling that came back. */
  readonly question: string;
  readonly answers: readonly Record[];
  readonly authorities: readonly Record[];
  readonly additionals: readonly Record[];
  readonly edns: boolean;
  readonly bytes: number;
}

export interface Record {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: string;
}

const TYPES: Readonly<globalThis.Record<number, string>> = {
  ...{ 1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV" },
  ...{ 41: "OPT", 65: "HTTPS", 255: "ANY" },
};
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

export function typeCode(text: string): number {
  const known = Object.entries(TYPES).find(([, name]) => name === text);
  return Number(known?.[0] ?? text.replace("TYPE", ""));
}

/** readMessage throws on anything that is not exactly one whole message. */
export function readMessage(octets: Buffer): Message {
  const reader = new Reader(octets);
  const [id, flags] = [octets.readUInt16BE(0), octets.readUInt16BE(2)];
  const counts = [4, 6, 8, 10].map((at) => octets.readUInt16BE(at));
  if ((flags & 0x8000) === 0) throw new Error("not a reply");
  if (counts[0] !== 1) throw new Error(`${counts[0]} questions`);
  reader.at = 12;
  const question = reader.name();
  reader.at += 4;
  const [answers = [], authorities = [], additionals = []] = counts
    .slice(1)
    .map((count) => Array.from({ length: count }, () => reader.record()));
  if (reader.at !== octets.length) throw new Error("octets behind the last record");
  return {
    ...{ id, question, answers, authorities },
    rcode: RCODES[flags & 15] ?? String(flags & 15),
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    additionals: additionals.filter(({ type }) => type !== "OPT"),
    edns: additionals.some(({ type }) => type === "OPT"),
    bytes: octets.length,
  };
}

class Reader {
  at = 0;
  readonly #octets: Buffer;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  record(): Record {
    const name = this.name();
    const code = this.#octets.readUInt16BE(this.at);
    const type = TYPES[code] ?? `TYPE${code}`;
    const ttl = this.#octets.readUInt32BE(this.at + 4);
    const length = this.#octets.readUInt16BE(this.at + 8);
    this.at += 10;
    const end = this.at + length;
    if (end > this.#octets.length) throw new Error("a record ends behind the message");
    const data = this.#data(type, end);
    if (this.at !== end) throw new Error(`the data of ${type} has another length than it says`);
    return { name, type, ttl, data };
  }

  /** name follows pointers, each strictly backwards. */
  name(): string {
    const labels: string[] = [];
    let back = -1;
    for (;;) {
      const length = this.#octets.readUInt8(this.at);
      if (length >= 0xc0) {
        const target = this.#octets.readUInt16BE(this.at) & 0x3fff;
        if (target >= this.at) throw new Error("a pointer goes forwards");
        if (back < 0) back = this.at + 2;
        this.at = target;
        continue;
      }
      if (length > 63) throw new Error("no such label");
      this.at += 1;
      if (length === 0) break;
      labels.push(this.#octets.toString("latin1", this.at, this.at + length));
      this.at += length;
    }
    if (back >= 0) this.at = back;
    return labels.join(".");
  }

  #data(type: string, end: number): string {
    switch (type) {
      case "NS":
      case "PTR":
      case "CNAME":
        return this.name();
      case "SRV":
        return `${this.#u16()} ${this.#u16()} ${this.#u16()} ${this.name()}`;
      case "SOA": {
        const names = `${this.name()} ${this.name()}`;
        const numbers = Array.from({ length: 5 }, (_, i) => this.#octets.readUInt32BE(this.at + 4 * i));
        this.at += 20;
        return `${names} ${numbers.slice(1).join(" ")}`; // without the serial
      }
      case "TXT":
      case "HINFO":
        return this.#strings(end);
      default: {
        const data = this.#octets.toString("hex", this.at, end);
        this.at = end;
        return data;
      }
    }
  }

  #strings(end: number): string {
    const texts: string[] = [];
    while (this.at < end) {
      const length = this.#octets.readUInt8(this.at);
      texts.push(JSON.stringify(this.#octets.toString("latin1", this.at + 1, this.at + 1 + length)));
      this.at += 1 + length;
    }
    return texts.join(" ");
  }

  #u16(): number {
    this.at += 2;
    return this.#octets.readUInt16BE(this.at - 2);
  }
}
