import type { Result } from "#values";

/** CheckFault says that the program does not do what was promised: which check, what was wanted, what came. */
export class CheckFault extends Error {
  override readonly name = "CheckFault";
}

/** demand fails a check unless a condition holds. */
export function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw new CheckFault(what);
}

/** take is a result's value; an error fails the check. */
export function take<T>(result: Result<T>): T {
  if (!result.ok) throw new CheckFault(result.error);
  return result.value;
}
