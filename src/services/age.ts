import type { ExportOf } from "./imported-service.ts";

/** compareAge orders exports from the oldest. The age of an export is the later of its creation and its member's
 *  admission, so that nobody takes a name over by joining with an old object; KEP-1645 leaves ties open, here the
 *  cluster id decides them, so that all members agree. */
export function compareAge(a: ExportOf, b: ExportOf): number {
  return ageOf(a) - ageOf(b) || (a.cluster < b.cluster ? -1 : a.cluster > b.cluster ? 1 : 0);
}

function ageOf({ joinedAt, body }: ExportOf): number {
  return Math.max(joinedAt, body.createdAt);
}
