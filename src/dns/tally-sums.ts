import { RCODE_CELLS, SIZE_BUCKETS, TALLY, TALLY_TYPES, TIME_BUCKETS, TYPE_CELLS } from "./tally-layout.ts";

/** HistogramSums is a histogram with cumulative buckets, as Prometheus has it. */
export interface HistogramSums {
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

/** TallySums is what one listener counted of one zone by one transport. */
export interface TallySums {
  /** By type, only those that were asked; `other` for all that have no label of their own. */
  readonly requests: Readonly<Record<string, number>>;
  readonly dnssecOk: number;
  /** By number of the response code, only those that were given. */
  readonly rcodes: ReadonlyMap<number, number>;
  readonly seconds: HistogramSums;
  readonly requestBytes: HistogramSums;
  readonly replyBytes: HistogramSums;
  readonly access: {
    readonly blocked: number;
    readonly filtered: number;
    readonly dropped: number;
    readonly allowed: number;
  };
}

/** readTally reads what a row counted of a zone. */
export function readTally(memory: SharedArrayBuffer, row: number, zones: number, zone: number): TallySums {
  const cells = new Float64Array(memory, (row * zones + zone) * TALLY.cells * 8, TALLY.cells);
  const cell = (at: number): number => cells[at] ?? 0;
  const names = [...TALLY_TYPES.map(([name]) => name), "other"];
  const requests = Array.from(
    { length: TYPE_CELLS },
    (_, i) => [names[i] ?? "other", cell(TALLY.requests + i)] as const,
  );
  const rcodes = Array.from({ length: RCODE_CELLS }, (_, rcode) => [rcode, cell(TALLY.rcodes + rcode)] as const);
  const [blocked, filtered, dropped, allowed] = [0, 1, 2, 3].map((action) => cell(TALLY.access + action));
  return {
    requests: Object.fromEntries(requests.filter(([, count]) => count > 0)),
    dnssecOk: cell(TALLY.dnssecOk),
    rcodes: new Map(rcodes.filter(([, count]) => count > 0)),
    seconds: histogram(cells, TALLY.seconds, TIME_BUCKETS),
    requestBytes: histogram(cells, TALLY.requestBytes, SIZE_BUCKETS),
    replyBytes: histogram(cells, TALLY.replyBytes, SIZE_BUCKETS),
    access: { blocked: blocked ?? 0, filtered: filtered ?? 0, dropped: dropped ?? 0, allowed: allowed ?? 0 },
  };
}

function histogram(cells: Float64Array, at: number, bounds: readonly number[]): HistogramSums {
  let count = 0;
  const buckets = bounds.map((le, i) => {
    count += cells[at + i] ?? 0;
    return { le, count };
  });
  return { buckets, count: count + (cells[at + bounds.length] ?? 0), sum: cells[at + bounds.length + 1] ?? 0 };
}
