import type { Latency } from "#lab";

const HEAD = ["peer", "samples", "p50", "p90", "p99", "max", "jitter", "loss"];

/** latencyTable writes measurements for people: times in milliseconds, loss in per cent. */
export function latencyTable(from: string, lines: readonly Latency[]): string {
  const rows = [
    HEAD,
    ...lines.map((line) => [
      `${from} → ${line.peer}`,
      String(line.samples),
      ...[line.p50Seconds, line.p90Seconds, line.p99Seconds, line.maxSeconds, line.jitterSeconds].map(ms),
      `${(line.lossRatio * 100).toFixed(1)} %`,
    ]),
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join("  ")).join("\n");
}

/** Two decimals: a tunnel between two namespaces takes about half a millisecond. */
function ms(seconds: number): string {
  return `${(seconds * 1000).toFixed(2)} ms`;
}
