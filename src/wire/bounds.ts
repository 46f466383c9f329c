import { type Cidr, contains, covers, overlaps } from "#values";
import type { GrantEntry } from "./bodies.ts";

/** Bounds is where allocations of a clusterset may lie. The allocation key says who has what inside of it; it has no
 *  say over any other address, whoever holds it. */
export interface Bounds {
  readonly supernets: readonly Cidr[];
  /** The parts of them that are service addresses and nothing else. */
  readonly services: readonly Cidr[];
}

/** outside is the first fault of a grant: it is believed whole or not at all, since whoever signs one lie is not asked
 *  for the rest of the sentence. */
export function outside(bounds: Bounds | null, entries: readonly GrantEntry[]): string | undefined {
  if (bounds === null) return undefined;
  return entries.map((entry) => outOfBounds(bounds, entry)).find((fault) => fault !== undefined);
}

/** outOfBounds says why an entry gives what is not the clusterset's to give; undefined where nothing speaks against
 *  it. What is taken back needs no bounds. */
export function outOfBounds({ supernets, services }: Bounds, entry: GrantEntry): string | undefined {
  switch (entry.kind) {
    case "pods":
    case "nodes":
    case "reserved": {
      const { kind, prefix } = entry;
      if (!supernets.some((supernet) => covers(supernet, prefix)))
        return `${prefix} is outside ${supernets.join(", ")}`;
      const taken = kind === "reserved" ? undefined : services.find((part) => overlaps(part, prefix));
      return taken === undefined ? undefined : `${prefix} overlaps ${taken}, which are service addresses`;
    }
    case "service":
      if (services.some((part) => contains(part, entry.address))) return undefined;
      return `${entry.address} for ${entry.namespace}/${entry.name} is outside ${services.join(", ")}`;
    default:
      return undefined;
  }
}
