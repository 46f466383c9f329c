import type { Outcome } from "../standards/row-count.ts";
import type { Row } from "./rows.ts";

/** FaultCount is which rows a run of tests has shown. */
export interface FaultCount {
  /** For people. */
  readonly line: string;
  /** Ids without a test that passed. */
  readonly missing: readonly string[];
}

/** countFaults finds the rows whose id stands in the name of a test that passed, or of its group. */
export function countFaults(
  faults: readonly Row[],
  advisories: readonly Row[],
  outcomes: Iterable<Outcome>,
): FaultCount {
  const names = Array.from(outcomes).flatMap(({ fullName, status }) => (status === "passed" ? [fullName] : []));
  const words = new Set(names.flatMap((name) => name.match(/\bF\d+\b/g) ?? []));
  const missing = [
    ...faults.filter(({ id }) => !words.has(id)),
    ...advisories.filter(({ id }) => !names.some((name) => name.includes(`[${id}]`))),
  ].map(({ id }) => id);
  const count = faults.length + advisories.length;
  return { line: `fault rows: ${count - missing.length} of ${count} have a test`, missing };
}
