import type { Result } from "#values";
import type { DeskFault } from "./desk.ts";
import { type ProblemCode, Refused } from "./problem.ts";

const CODES: Readonly<Record<DeskFault["code"], ProblemCode>> = {
  unknown: "not-found",
  conflict: "conflict",
  exhausted: "exhausted",
  invalid: "invalid",
  unavailable: "unavailable",
};

/** orRefuse takes what the desk did, or throws why it did not. */
export function orRefuse<T>(result: Result<T, DeskFault>): T {
  if (!result.ok) throw new Refused(CODES[result.error.code], result.error.message);
  return result.value;
}
