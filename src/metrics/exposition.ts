import { Registry } from "prom-client";
import type { Distribution, Labels, Metric, Sample } from "./metric.ts";

/** Most series of one metric: what is beyond is left out and counted, so that no peer's names can fill the memory of
 *  whoever scrapes. */
export const MAX_SERIES = 2000;
/** Longest label value, in characters: a DNS name is no longer. */
const MAX_VALUE = 253;

/** One line of the text; a histogram is several. */
interface Line {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/** expositionOf makes a registry of its own of the metrics, and gives what writes it as Prometheus text. A metric that
 *  cannot be read has no series in that scrape, and the others have theirs. */
export function expositionOf(metrics: readonly Metric[]): () => Promise<string> {
  const registry = new Registry();
  const trouble = { unread: 0, left: 0 };
  const add = ({ name, help, type }: Omit<Metric, "read" | "labels">, lines: () => Promise<readonly Line[]>): void => {
    const get = async () => ({ name, help, type, values: await lines(), aggregator: "sum" });
    // A registry asks a metric for no more than its name and get(), whatever its declared type says.
    registry.registerMetric({ name, help, get } as unknown as Parameters<Registry["registerMetric"]>[0]);
  };
  for (const metric of metrics) {
    add(metric, async () => {
      try {
        const lines = await linesOf(metric);
        trouble.left += lines.left;
        return lines.lines;
      } catch {
        trouble.unread += 1;
        return [];
      }
    });
  }
  return async () => {
    const text = await registry.metrics();
    return `${text}\n${ownText(trouble)}`;
  };
}

/** What the exposition says of itself is written last, when the scrape is known. */
function ownText({ unread, left }: { readonly unread: number; readonly left: number }): string {
  return [
    "# HELP meridian_metrics_read_failures_total Metrics that could not be read, over all scrapes.",
    "# TYPE meridian_metrics_read_failures_total counter",
    `meridian_metrics_read_failures_total ${unread}`,
    "# HELP meridian_metrics_series_left_out_total Series beyond what one metric may have, over all scrapes.",
    "# TYPE meridian_metrics_series_left_out_total counter",
    `meridian_metrics_series_left_out_total ${left}`,
    "",
  ].join("\n");
}

/** linesOf reads a metric. Rejects as its `read` does. */
async function linesOf(metric: Metric): Promise<{ readonly lines: readonly Line[]; readonly left: number }> {
  if (metric.type === "histogram") {
    const { kept, left } = bounded(await metric.read());
    return { lines: kept.flatMap((of) => histogramLines(metric.name, of)), left };
  }
  const { kept, left } = bounded(await metric.read());
  return { lines: kept.map(({ labels, value }) => ({ metricName: metric.name, labels, value })), left };
}

/** bounded cuts values and drops what is too many, not a number, or there already: two lines for one series would
 *  make the whole scrape fail. */
function bounded<T extends Sample | Distribution>(
  series: readonly T[],
): { readonly kept: readonly T[]; readonly left: number } {
  const kept = new Map<string, T>();
  let left = 0;
  for (const one of series) {
    const labels = Object.fromEntries(Object.entries(one.labels).map(([name, value]) => [name, plain(value)]));
    const key = JSON.stringify(labels);
    if ("value" in one && !Number.isFinite(one.value)) continue;
    if (kept.has(key) || kept.size >= MAX_SERIES) left += 1;
    else kept.set(key, { ...one, labels });
  }
  return { kept: [...kept.values()], left };
}

/** plain replaces what could break a line where a reader escapes less carefully than the writer (CWE-117). */
function plain(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced.
  return value.slice(0, MAX_VALUE).replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, "?");
}

/** Buckets are cumulative, the last is +Inf and equals the count (Prometheus text format). */
function histogramLines(name: string, { labels, buckets, count, sum }: Distribution): readonly Line[] {
  const bucket = (le: string, value: number): Line => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value,
  });
  return [
    ...buckets.map(({ le, count: below }) => bucket(String(le), below)),
    bucket("+Inf", count),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
