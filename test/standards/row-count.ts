import type { Table } from "./table.ts";

/** Outcome is one test of a run, as vitest's JSON report has it. */
export interface Outcome {
  /** The names of its groups and its own. */
  readonly fullName: string;
  readonly status: string;
}

export interface RowCount {
  /** For people: a line per table, and one for all. */
  readonly lines: readonly string[];
  /** Rows without a test that passed. */
  readonly missing: readonly string[];
  /** Ids in tests' names that are in no table: a slip of the pen would otherwise count for nothing. */
  readonly unknown: readonly string[];
}

/** An id in brackets, anywhere in a test's name or its groups'. */
const ROW_ID = /\[(\d+\.\d+-[\w-]+)\]/g;

/** countRows finds which rows have a test that passed. One test may carry several ids, and one id several tests. */
export function countRows(tables: readonly Table[], outcomes: Iterable<Outcome>): RowCount {
  const passed = new Set<string>();
  const seen = new Set<string>();
  for (const { fullName, status } of outcomes) {
    for (const [, id = ""] of fullName.matchAll(ROW_ID)) {
      seen.add(id);
      if (status === "passed") passed.add(id);
    }
  }
  const all = tables.flatMap(({ rows }) => rows.map(({ id }) => id));
  const missing = all.filter((id) => !passed.has(id));
  const known = new Set(all);
  return {
    lines: [...tables.map((table) => lineOf(table, passed)), `standard rows: ${share(all, passed)}`],
    missing,
    unknown: [...seen].filter((id) => !known.has(id)).toSorted(),
  };
}

function lineOf({ id, title, rows }: Table, passed: ReadonlySet<string>): string {
  return `standard rows ${id}: ${share(
    rows.map((row) => row.id),
    passed,
  )} (${title})`;
}

function share(ids: readonly string[], passed: ReadonlySet<string>): string {
  return `${ids.filter((id) => passed.has(id)).length} of ${ids.length} have a test`;
}
