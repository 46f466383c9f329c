import { type Cidr, overlaps } from "#values";

/** Occupied is a network that somebody uses already, and what for: `pod CIDR`, `route dev eth0`. */
export interface Occupied {
  readonly cidr: Cidr;
  readonly what: string;
}

/** SupernetConflict is a supernet and a network of a member that share addresses. */
export interface SupernetConflict extends Occupied {
  readonly supernet: Cidr;
}

/** supernetConflicts lists where supernets overlap what a member uses: with one of these it cannot join, since the
 *  same address would mean two things there. A default route is no conflict: leave it out. */
export function supernetConflicts(
  supernets: readonly Cidr[],
  theirs: readonly Occupied[],
): readonly SupernetConflict[] {
  return supernets.flatMap((supernet) =>
    theirs.filter(({ cidr }) => overlaps(supernet, cidr)).map(({ cidr, what }) => ({ supernet, cidr, what })),
  );
}
