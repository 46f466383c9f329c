import type { Outcome, Row } from "./benchmark.ts";
import type { Spread } from "./stats.ts";
import { textTable } from "./text-table.ts";

const HEAD = ["", "A", "B", "A/B median", "min - max", "target", "verdict"];

/** reportText prints one table, with what was compared above it and notes below. */
export function reportText(title: string, { compared, rows, notes }: Outcome): string {
  const lines = rows.map((row) => [row.what, row.a, row.b, ...ratioCells(row.ratio), row.target, verdict(row)]);
  return `\n${title}\n${compared}\n${textTable(HEAD, lines)}${notes.map((note) => `  ${note}\n`).join("")}`;
}

/** failures names the rows whose target is missed. */
export function failures({ rows }: Outcome): readonly string[] {
  return rows.filter(({ holds }) => holds === false).map(({ what }) => what);
}

function ratioCells({ median, min, max }: Spread): readonly string[] {
  if (Number.isNaN(median)) return ["-", "-"];
  return [digits(median), `${digits(min)} - ${digits(max)}`];
}

/** Three significant digits, but never fewer than two decimals below 10. */
function digits(value: number): string {
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(3)
        : value.toPrecision(2);
}

function verdict({ holds }: Row): string {
  return holds === null ? "" : holds ? "holds" : "MISSED";
}
