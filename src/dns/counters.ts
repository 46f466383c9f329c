import { RCODE, type RcodeName } from "./iana.ts";

/** Counters of one thread: plain numbers in shared memory, one writer, read by anyone without a message. Aligned
 *  64-bit stores are not torn on the machines Node runs on. */
const FIELD = {
  udpQueries: 0,
  tcpQueries: 1,
  udpDropped: 2,
  sendErrors: 3,
  truncated: 4,
  faults: 5,
  tcpAccepted: 6,
  tcpRefused: 7,
  tcpOpen: 8,
  rateDropped: 9,
  rateSlipped: 10,
  udpRcodes: 16,
  tcpRcodes: 24,
} as const;
const FIELDS = 32;

type CounterName = Exclude<keyof typeof FIELD, "udpRcodes" | "tcpRcodes">;

const RCODES: readonly RcodeName[] = [
  "NOERROR",
  "FORMERR",
  "SERVFAIL",
  "NXDOMAIN",
  "NOTIMP",
  "REFUSED",
  "BADVERS",
  "BADCOOKIE",
];

export type RcodeCounts = Readonly<Record<RcodeName, number>>;

/** CounterSums is what all threads counted together since the responder was made. */
export interface CounterSums {
  /** Messages received by transport, whatever came of them. */
  readonly queries: { readonly udp: number; readonly tcp: number };
  /** Replies by transport and code. */
  readonly responses: { readonly udp: RcodeCounts; readonly tcp: RcodeCounts };
  /** UDP messages that got no reply on purpose: responses, shorter than a header, from a port that echoes, or too many. */
  readonly dropped: number;
  /** Replies that the system would not send. */
  readonly sendErrors: number;
  /** Replies cut to fit UDP (TC). */
  readonly truncated: number;
  /** Bugs: queries whose answering threw; they got silence. */
  readonly faults: number;
  /** Replies by UDP that a network got too many of: not sent at all, or sent empty and marked as cut. */
  readonly rateLimited: { readonly dropped: number; readonly slipped: number };
  readonly tcp: { readonly open: number; readonly accepted: number; readonly refused: number };
}

/** counterMemory makes room for a number of threads. */
export function counterMemory(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * FIELDS * 8);
}

/** Counters is one thread's side. */
export class Counters {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#cells = new Float64Array(memory, thread * FIELDS * 8, FIELDS);
  }

  add(name: CounterName, n = 1): void {
    const at = FIELD[name];
    this.#cells[at] = (this.#cells[at] as number) + n;
  }

  set(name: CounterName, value: number): void {
    this.#cells[FIELD[name]] = value;
  }

  /** response counts a reply by its code. */
  response(tcp: boolean, rcode: number): void {
    const at = (tcp ? FIELD.tcpRcodes : FIELD.udpRcodes) + cellOf(rcode);
    this.#cells[at] = (this.#cells[at] as number) + 1;
  }
}

/** Codes that need EDNS have their cells behind the plain ones that are given. */
function cellOf(rcode: number): number {
  if (rcode <= RCODE.REFUSED) return rcode;
  return rcode === RCODE.BADVERS ? 6 : 7;
}

/** sumCounters adds up all threads. */
export function sumCounters(memory: SharedArrayBuffer): CounterSums {
  const cells = new Float64Array(memory);
  const sum = (field: number): number => {
    let total = 0;
    for (let at = field; at < cells.length; at += FIELDS) total += cells[at] as number;
    return total;
  };
  const rcodes = (first: number): RcodeCounts =>
    Object.fromEntries(RCODES.map((name, i) => [name, sum(first + i)])) as Record<RcodeName, number>;
  return {
    queries: { udp: sum(FIELD.udpQueries), tcp: sum(FIELD.tcpQueries) },
    responses: { udp: rcodes(FIELD.udpRcodes), tcp: rcodes(FIELD.tcpRcodes) },
    dropped: sum(FIELD.udpDropped),
    sendErrors: sum(FIELD.sendErrors),
    truncated: sum(FIELD.truncated),
    faults: sum(FIELD.faults),
    rateLimited: { dropped: sum(FIELD.rateDropped), slipped: sum(FIELD.rateSlipped) },
    tcp: { open: sum(FIELD.tcpOpen), accepted: sum(FIELD.tcpAccepted), refused: sum(FIELD.tcpRefused) },
  };
}
