/** Labels of a series: names are the metric's own, values come from outside and are bounded and escaped. */
export type Labels = Readonly<Record<string, string>>;

/** Sample is one series as it is now. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Distribution is one series of a histogram that was counted elsewhere: buckets are cumulative, without +Inf. */
export interface Distribution {
  readonly labels: Labels;
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

/** What every metric says of itself. */
interface Described {
  /** `meridian_…` with its base unit as suffix; a counter ends in `_total` (Prometheus naming). */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** Reading may take a while: a count of the kernel's is asked of an outside program. */
type Pulled<T> = readonly T[] | Promise<readonly T[]>;

/** Metric is one name and where its values are read at each scrape: nothing is counted here, so nothing can differ
 *  from what the rooms themselves say. */
export type Metric =
  | (Described & { readonly type: "gauge" | "counter"; readonly read: () => Pulled<Sample> })
  | (Described & { readonly type: "histogram"; readonly read: () => Pulled<Distribution> });

/** one is the only series of a metric without labels; none while its value is not known. */
export function one(value: number | null): readonly Sample[] {
  return value === null ? [] : [{ labels: {}, value }];
}

/** tally counts equal items under one label. Every name of `all` is there, with 0 where there is none. */
export function tally<T extends string>(label: string, items: readonly T[], all: readonly T[]): readonly Sample[] {
  const counts = new Map(all.map((name) => [name, 0]));
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
