import { type Spread, spread } from "./stats.ts";

/** BenchAsk is how a benchmark is to run. */
export interface BenchAsk {
  /** A smoke in seconds: the figures say nothing. */
  readonly quick: boolean;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Row is one comparison of two contenders. */
export interface Row {
  readonly what: string;
  /** What each of them did, with units. */
  readonly a: string;
  readonly b: string;
  /** Paired ratios a / b, whichever way is meant by the target. */
  readonly ratio: Spread;
  readonly target: string;
  /** Null where there is no target. */
  readonly holds: boolean | null;
}

/** Outcome is one table. */
export interface Outcome {
  /** What A and B are, and under what load. */
  readonly compared: string;
  readonly rows: readonly Row[];
  /** What was skipped or discarded, and why; other figures. */
  readonly notes: readonly string[];
}

/** Benchmark is one table of `make bench`. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  run(ask: BenchAsk): Promise<Outcome>;
}

/** Limit is a target for the median of paired ratios. */
export interface Limit {
  readonly least?: number;
  readonly most?: number;
}

/** ratioRow makes a row of paired figures: medians with a unit, paired ratios, and whether their median keeps to a
 *  limit. */
export function ratioRow(
  what: string,
  pairs: readonly { readonly a: number; readonly b: number }[],
  unit: (value: number) => string,
  { least, most }: Limit = {},
): Row {
  const ratio = spread(pairs.map(({ a, b }) => a / b));
  const short = (limit: number): string => String(Number(limit.toPrecision(3)));
  const bounds = [
    ...(least === undefined ? [] : [`>= ${short(least)}`]),
    ...(most === undefined ? [] : [`<= ${short(most)}`]),
  ];
  const within =
    ratio.median >= (least ?? Number.NEGATIVE_INFINITY) && ratio.median <= (most ?? Number.POSITIVE_INFINITY);
  return {
    what,
    a: unit(spread(pairs.map(({ a }) => a)).median),
    b: unit(spread(pairs.map(({ b }) => b)).median),
    ratio,
    target: bounds.join(", "),
    holds: bounds.length === 0 ? null : within,
  };
}
