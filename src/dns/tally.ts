import { SIZE_BUCKETS, TALLY, TALLY_TYPES, TIME_BUCKETS, TYPE_CELLS } from "./tally-layout.ts";

/** Cell of each type below 256; all others are `other`. */
const CELL_OF = new Uint8Array(256).fill(TYPE_CELLS - 1);
for (const [cell, [, type]] of TALLY_TYPES.entries()) CELL_OF[type] = cell;

/** Tally is one row's writer: it adds and allocates nothing. */
export class Tally {
  readonly #cells: Float64Array;
  /** Replies of the batch under way by zone, whose time is not yet known. */
  readonly #timed: Uint32Array;

  constructor(memory: SharedArrayBuffer, row: number, zones: number) {
    this.#cells = new Float64Array(memory, row * zones * TALLY.cells * 8, zones * TALLY.cells);
    this.#timed = new Uint32Array(zones);
  }

  /** query counts one that was asked in a zone, and its reply. */
  query(zone: number, type: number, dnssecOk: boolean, bytes: number): void {
    const at = zone * TALLY.cells;
    this.#add(at + TALLY.requests + (type < 256 ? (CELL_OF[type] as number) : TYPE_CELLS - 1), 1);
    if (dnssecOk) this.#add(at + TALLY.dnssecOk, 1);
    this.#measure(at + TALLY.requestBytes, SIZE_BUCKETS, bytes, 1);
  }

  reply(zone: number, rcode: number, bytes: number): void {
    const at = zone * TALLY.cells;
    this.#add(at + TALLY.rcodes + rcode, 1);
    this.#measure(at + TALLY.replyBytes, SIZE_BUCKETS, bytes, 1);
    this.#timed[zone] = (this.#timed[zone] as number) + 1;
  }

  /** access counts what an access list did. */
  access(zone: number, action: number): void {
    this.#add(zone * TALLY.cells + TALLY.access + action, 1);
  }

  /** took gives the replies since the last call their time: that of the batch in which they were answered. */
  took(seconds: number): void {
    const timed = this.#timed;
    for (let zone = 0; zone < timed.length; zone++) {
      const count = timed[zone] as number;
      if (count === 0) continue;
      this.#measure(zone * TALLY.cells + TALLY.seconds, TIME_BUCKETS, seconds, count);
      timed[zone] = 0;
    }
  }

  #add(at: number, n: number): void {
    this.#cells[at] = (this.#cells[at] as number) + n;
  }

  /** measure enters a value `count` times in the first bucket that holds it, and in the sum. */
  #measure(at: number, buckets: readonly number[], value: number, count: number): void {
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    this.#add(at + bucket, count);
    this.#add(at + buckets.length + 1, value * count);
  }
}
