import type { ClusterId } from "#values";
import type { GrantBody, GrantEntry } from "./bodies.ts";
import { Ledger, type Overlap } from "./ledger.ts";

/** Folded is what one grant record did. */
export interface Folded {
  readonly overlaps: readonly Overlap[];
  /** Numbers of the records that mean nothing any more. */
  readonly voided: readonly number[];
  /** Members and services ("namespace/name") for which something may have changed. */
  readonly clusters: ReadonlySet<ClusterId>;
  readonly services: ReadonlySet<string>;
  /** Why the record is not believed; then nothing has changed. */
  readonly refused?: string;
}

/** Grants folds the broker's grants in the order of their numbers, in whichever order they arrive: a broker that was
 *  restored learns them from its members, the newest perhaps first. Before a base (see grantBody) nothing counts. */
export class Grants {
  readonly #bodies = new Map<number, GrantBody>();
  #ledger = new Ledger();
  #last = 0;
  #first = 0;
  #entries = 0;

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Entries of all records that are held: how much a newcomer has to read to learn what is live. */
  get entries(): number {
    return this.#entries;
  }

  /** isVoid reports whether a later base has made a record meaningless. */
  isVoid(number: number): boolean {
    return number < this.#first;
  }

  take(body: GrantBody): Folded {
    const { number, base } = body;
    this.#bodies.set(number, body);
    this.#entries += body.entries.length;
    if (base !== undefined) return this.#isWhole(base) ? this.#begin(base.first) : NOTHING;
    if (number > this.#last) {
      this.#last = number;
      return { ...touched(body.entries), overlaps: this.#ledger.apply(body), voided: [] };
    }
    return this.#late(body);
  }

  #isWhole({ first, parts }: { readonly first: number; readonly parts: number }): boolean {
    for (let number = first; number < first + parts; number += 1) {
      if (this.#bodies.get(number)?.base?.first !== first) return false;
    }
    return first >= this.#first;
  }

  /** A base says all that is live: what came before it is gone, and with it what it took back in silence. */
  #begin(first: number): Folded {
    const before = this.#ledger;
    const voided = [...this.#bodies.keys()].filter((number) => number < first);
    for (const number of voided) this.#drop(number);
    this.#first = first;
    const overlaps = this.#fold();
    return { ...differing(before, this.#ledger), overlaps, voided };
  }

  /** A record that comes after later ones must not take from anybody what those gave. */
  #late(body: GrantBody): Folded {
    const before = this.#ledger;
    const overlaps = this.#fold();
    const released = new Set(body.entries.flatMap((entry) => (entry.kind === "release" ? [entry.prefix] : [])));
    for (const { prefix, owner } of before.prefixes()) {
      if (released.has(prefix) || this.#ledger.ownerAt(prefix) === owner) continue;
      this.#drop(body.number);
      this.#ledger = before;
      return { ...NOTHING, refused: `${prefix} belongs to ${owner} by a later grant` };
    }
    return { ...differing(before, this.#ledger), overlaps, voided: [] };
  }

  #drop(number: number): void {
    this.#entries -= this.#bodies.get(number)?.entries.length ?? 0;
    this.#bodies.delete(number);
  }

  /** Parts of a base that is not whole yet do not count. */
  #fold(): readonly Overlap[] {
    this.#ledger = new Ledger();
    const bodies = [...this.#bodies.values()].sort((a, b) => a.number - b.number);
    this.#last = bodies.at(-1)?.number ?? 0;
    return bodies.flatMap((body) =>
      body.base === undefined || body.base.first === this.#first ? this.#ledger.apply(body) : [],
    );
  }
}

const NOTHING: Folded = { overlaps: [], voided: [], clusters: new Set(), services: new Set() };

function touched(entries: readonly GrantEntry[]): Pick<Folded, "clusters" | "services"> {
  const clusters = new Set<ClusterId>();
  const services = new Set<string>();
  for (const entry of entries) {
    if ("cluster" in entry) clusters.add(entry.cluster);
    if (entry.kind === "service") services.add(`${entry.namespace}/${entry.name}`);
  }
  return { clusters, services };
}

/** Who and what is not the same in both. */
function differing(before: Ledger, after: Ledger): Pick<Folded, "clusters" | "services"> {
  const clusters = new Set<ClusterId>();
  const services = new Set<string>();
  for (const [one, other] of [
    [before, after],
    [after, before],
  ] as const) {
    for (const holding of one.holdings()) {
      const same = JSON.stringify(other.holding(holding.cluster)) === JSON.stringify(holding);
      if (!same) clusters.add(holding.cluster);
    }
    for (const [key, address] of one.services()) if (other.serviceAddress(key) !== address) services.add(key);
  }
  return { clusters, services };
}
