/** A ring of queries for the log, in shared memory: a listener's thread writes a record per query and never waits, the
 *  main thread takes them out at leisure. What does not fit is counted, not logged: a flood of queries must not become
 *  a flood of work. */
const HEAD = { written: 0, taken: 1, lost: 2, words: 4 } as const;
const RECORD = 336;
/** Places in a record. */
const AT = {
  port: 0,
  addressLength: 2,
  zone: 3,
  address: 4,
  bytes: 20,
  udpSize: 22,
  flags: 24,
  rcode: 25,
  replyBytes: 28,
  seconds: 32,
  queryHeader: 40,
  replyHeader: 52,
  question: 64,
} as const;
const FLAG = { edns: 1, dnssecOk: 2, tcp: 4, replied: 8 } as const;
const HEADER = 12;
/** Name, type and class. */
const MAX_QUESTION = 259;

/** LoggedQuery is a record as the main thread reads it. */
export interface LoggedQuery {
  readonly address: Uint8Array;
  readonly port: number;
  /** Index of the zone; the last is none of ours. */
  readonly zone: number;
  readonly tcp: boolean;
  readonly edns: boolean;
  readonly dnssecOk: boolean;
  readonly udpSize: number;
  readonly bytes: number;
  readonly replied: boolean;
  readonly replyBytes: number;
  readonly rcode: number;
  readonly seconds: number;
  readonly queryHeader: Uint8Array;
  readonly replyHeader: Uint8Array;
  /** Name, type and class in wire form. */
  readonly question: Uint8Array;
}

/** queryLogMemory makes room for so many queries that wait. */
export function queryLogMemory(records = 4096): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD.words * 4 + records * RECORD);
}

/** What a listener knows of one exchange; one is reused for all. */
export interface Exchanged {
  octets: Uint8Array;
  /** The query's place and length, and its question's end behind its start. */
  at: number;
  length: number;
  questionEnd: number;
  /** The reply's place and length; 0: none. */
  out: number;
  replied: number;
  /** Where the asker's address is. */
  from: Uint8Array;
  fromAt: number;
  fromLength: number;
  port: number;
  tcp: boolean;
  edns: boolean;
  dnssecOk: boolean;
  udpSize: number;
  rcode: number;
  zone: number;
}

/** QueryLogWriter is a listener's side. */
export class QueryLogWriter {
  readonly #words: Int32Array;
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  readonly #records: number;
  /** The first record of the batch under way: its records have no time yet and are not to be seen. */
  #next: number;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, HEAD.words);
    this.#octets = new Uint8Array(memory, HEAD.words * 4);
    this.#view = new DataView(memory, HEAD.words * 4);
    this.#records = Math.floor(this.#octets.length / RECORD);
    this.#next = Atomics.load(this.#words, HEAD.written);
  }

  write(one: Exchanged): void {
    if (((this.#next - Atomics.load(this.#words, HEAD.taken)) | 0) >= this.#records) {
      Atomics.add(this.#words, HEAD.lost, 1);
      return;
    }
    const record = ((this.#next >>> 0) % this.#records) * RECORD;
    this.#next = (this.#next + 1) | 0;
    const view = this.#view;
    view.setUint16(record + AT.port, one.port);
    view.setUint16(record + AT.bytes, one.length);
    view.setUint16(record + AT.udpSize, one.udpSize);
    view.setUint32(record + AT.replyBytes, one.replied);
    const octets = this.#octets;
    octets[record + AT.addressLength] = one.fromLength;
    octets[record + AT.zone] = one.zone;
    octets[record + AT.rcode] = one.rcode;
    octets[record + AT.flags] =
      (one.edns ? FLAG.edns : 0) |
      (one.dnssecOk ? FLAG.dnssecOk : 0) |
      (one.tcp ? FLAG.tcp : 0) |
      (one.replied > 0 ? FLAG.replied : 0);
    this.#copy(record + AT.address, one.from, one.fromAt, one.fromLength);
    this.#copy(record + AT.queryHeader, one.octets, one.at, HEADER);
    if (one.replied > 0) this.#copy(record + AT.replyHeader, one.octets, one.out, HEADER);
    this.#copy(record + AT.question, one.octets, one.at + HEADER, Math.min(MAX_QUESTION, one.questionEnd - HEADER));
  }

  /** took gives the records since the last call their time, and shows them. */
  took(seconds: number): void {
    const from = Atomics.load(this.#words, HEAD.written);
    for (let i = from; i !== this.#next; i = (i + 1) | 0) {
      this.#view.setFloat64(((i >>> 0) % this.#records) * RECORD + AT.seconds, seconds);
    }
    Atomics.store(this.#words, HEAD.written, this.#next);
  }

  #copy(to: number, from: Uint8Array, at: number, length: number): void {
    for (let i = 0; i < length; i++) this.#octets[to + i] = from[at + i] as number;
  }
}

/** takeQueries takes up to `most` records out of a ring, oldest first. */
export function takeQueries(memory: SharedArrayBuffer, most: number): readonly LoggedQuery[] {
  const words = new Int32Array(memory, 0, HEAD.words);
  const records = Math.floor((memory.byteLength - HEAD.words * 4) / RECORD);
  const taken = Atomics.load(words, HEAD.taken);
  const count = Math.min(most, (Atomics.load(words, HEAD.written) - taken) | 0);
  const found = Array.from({ length: count }, (_, i) => {
    const at = HEAD.words * 4 + (((taken + i) >>> 0) % records) * RECORD;
    return readRecord(new Uint8Array(new Uint8Array(memory, at, RECORD)));
  });
  Atomics.store(words, HEAD.taken, (taken + count) | 0);
  return found;
}

/** lostQueries is how many there was no room for, since the start. */
export function lostQueries(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory, 0, HEAD.words), HEAD.lost) >>> 0;
}

function readRecord(octets: Uint8Array): LoggedQuery {
  const view = new DataView(octets.buffer);
  const flags = octets[AT.flags] ?? 0;
  return {
    address: octets.slice(AT.address, AT.address + (octets[AT.addressLength] ?? 0)),
    port: view.getUint16(AT.port),
    zone: octets[AT.zone] ?? 0,
    tcp: (flags & FLAG.tcp) !== 0,
    edns: (flags & FLAG.edns) !== 0,
    dnssecOk: (flags & FLAG.dnssecOk) !== 0,
    udpSize: view.getUint16(AT.udpSize),
    bytes: view.getUint16(AT.bytes),
    replied: (flags & FLAG.replied) !== 0,
    replyBytes: view.getUint32(AT.replyBytes),
    rcode: octets[AT.rcode] ?? 0,
    seconds: view.getFloat64(AT.seconds),
    queryHeader: octets.slice(AT.queryHeader, AT.queryHeader + HEADER),
    replyHeader: octets.slice(AT.replyHeader, AT.replyHeader + HEADER),
    question: octets.slice(AT.question, AT.question + MAX_QUESTION),
  };
}
