import type { Uid } from "#values";
import type { Ledger } from "./ledger.ts";
import { FIRST_NUMBER, LAST_NUMBER } from "./pools.ts";
import type { Space } from "./space.ts";

/** memberNumber is the n by which people know a member: its nodes are the n-th block of the nodes pool and its pods lie
 *  in the n-th slot of the supernet. A member keeps the number it shows anywhere, in this family or the other; a new
 *  one gets the lowest that is free in both pools. Undefined when none is: then addresses are first fit.
 *
 *  The number is a hint for readers. Nothing may depend on it. */
export function memberNumber(ledger: Ledger, space: Space, uid: Uid): number | undefined {
  const shown = [...shownNumbers(ledger, space, uid)].filter((n) => n >= FIRST_NUMBER && n <= LAST_NUMBER);
  if (shown[0] !== undefined) return shown[0];
  for (let n = FIRST_NUMBER; n <= LAST_NUMBER; n++) {
    if (space.isNodeBlockFree(n) && space.isSlotFree(n)) return n;
  }
  return undefined;
}

/** shownNumbers lists the numbers a member's prefixes show: own family first, nodes before pods, lowest first. */
function* shownNumbers(ledger: Ledger, here: Space, uid: Uid): Generator<number> {
  const held = ledger.of(uid);
  for (const space of [here, ...[...ledger.spaces.values()].filter((other) => other !== here)]) {
    for (const kind of ["nodes", "pods"] as const) {
      const numbers = held
        .filter((a) => a.kind === kind && a.prefix.includes(":") === (space.family === 6))
        .map((a) => (kind === "nodes" ? space.nodeNumber(a.prefix) : space.slotOf(a.prefix)));
      yield* numbers.sort((a, b) => a - b);
    }
  }
}
