import {
  type Cidr,
  type CidrParts,
  type ClusterId,
  cidrFamily,
  cidrParts,
  covers,
  type Family,
  familyOf,
  type Ip,
  type Namespace,
  networkOf,
  type ServiceName,
  type Uid,
} from "#values";
import { type Allocation, describe } from "./allocation.ts";
import { Space } from "./space.ts";

/** Entry keeps an allocation beside its numbers: parsing IPv6 text is what would cost most in a sort. */
interface Entry {
  readonly allocation: Allocation;
  readonly parts: CidrParts;
}

/** Ledger is what is allocated: the taken space of each family, and indexes over whose it is. */
export class Ledger {
  /** By family, in the order in which the supernets were given. */
  readonly spaces: ReadonlyMap<Family, Space>;
  readonly #entries = new Map<Cidr, Entry>();
  readonly #byUid = new Map<Uid, Set<Cidr>>();
  readonly #byService = new Map<string, Cidr>();
  readonly #asked = new Map<ClusterId, number>();
  readonly #resting = new Set<Cidr>();
  /** How many allocations there are of each length: `whois` tries only these. */
  readonly #lengths: Record<Family, Map<number, number>> = { 4: new Map(), 6: new Map() };
  #sorted: readonly Allocation[] | undefined;

  constructor(supernets: readonly Cidr[]) {
    this.spaces = new Map(supernets.map((supernet) => [cidrFamily(supernet), new Space(supernet)]));
    if (this.spaces.size < supernets.length) throw new RangeError("at most one supernet per family");
  }

  /** put writes an allocation in place of the one with the same prefix, if any. Throws if its prefix lies outside the
   *  supernets, overlaps another or has another owner: the proposal was stale, or the store is damaged. */
  put(allocation: Allocation): void {
    const { prefix } = allocation;
    const was = this.#entries.get(prefix);
    if (was !== undefined && !sameOwner(was.allocation, allocation)) {
      throw new Error(`${prefix} has another owner: ${describe(was.allocation)}`);
    }
    const parts = was?.parts ?? this.#claim(prefix);
    if (was !== undefined) this.#unindex(was.allocation);
    else this.#count(parts, 1);
    this.#entries.set(prefix, { allocation, parts });
    this.#index(allocation);
    this.#sorted = undefined;
  }

  /** drop frees a prefix; one that is not allocated is let be. */
  drop(prefix: Cidr): void {
    const entry = this.#entries.get(prefix);
    if (entry === undefined) return;
    this.#unindex(entry.allocation);
    this.#count(entry.parts, -1);
    this.#entries.delete(prefix);
    this.spaces.get(entry.parts.family)?.release(entry.parts);
    this.#sorted = undefined;
  }

  /** at is the allocation of exactly this prefix. */
  at(prefix: Cidr): Allocation | undefined {
    return this.#entries.get(prefix)?.allocation;
  }

  /** of lists what a member holds or held, in no promised order. */
  of(uid: Uid): readonly Allocation[] {
    return this.#at(this.#byUid.get(uid) ?? []);
  }

  /** service is the address that a Service has, or had and may have back. */
  service(family: Family, namespace: Namespace, name: ServiceName): Allocation | undefined {
    const prefix = this.#byService.get(serviceKey(family, namespace, name));
    return prefix === undefined ? undefined : this.at(prefix);
  }

  /** asked counts the service addresses, resting ones too, that stand against a member's quota. */
  asked(cluster: ClusterId): number {
    return this.#asked.get(cluster) ?? 0;
  }

  /** resting lists what is in quarantine, in no promised order. */
  resting(): readonly Allocation[] {
    return this.#at(this.#resting);
  }

  /** whois is the allocation that an address lies in: one look-up per prefix length in use, so at most 129. */
  whois(ip: Ip): Allocation | undefined {
    for (const length of this.#lengths[familyOf(ip)].keys()) {
      const found = this.at(networkOf(ip, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** overlapping is an allocation, the first in address order, that shares an address with a network. */
  overlapping(cidr: Cidr): Allocation | undefined {
    const space = this.spaces.get(cidrFamily(cidr));
    if (space === undefined || !covers(space.supernet, cidr)) return undefined;
    const first = space.firstTaken(cidr);
    return first === undefined ? undefined : this.whois(first);
  }

  /** list is sorted by family, then by number. */
  list(): readonly Allocation[] {
    this.#sorted ??= [...this.#entries.values()].sort(byAddress).map((entry) => entry.allocation);
    return this.#sorted;
  }

  /** #claim reserves a prefix's space, or throws with the name of who has it. */
  #claim(prefix: Cidr): CidrParts {
    const parts = cidrParts(prefix);
    const space = this.spaces.get(parts.family);
    if (space === undefined || !covers(space.supernet, prefix)) throw new Error(`${prefix} is outside the supernet`);
    if (!space.reserve(parts)) {
      const owner = this.overlapping(prefix);
      throw new Error(`${prefix} overlaps ${owner === undefined ? "a taken block" : describe(owner)}`);
    }
    return parts;
  }

  #count({ family, length }: CidrParts, by: 1 | -1): void {
    const count = (this.#lengths[family].get(length) ?? 0) + by;
    if (count === 0) this.#lengths[family].delete(length);
    else this.#lengths[family].set(length, count);
  }

  #index({ prefix, uid, namespace, name, askedBy, state }: Allocation): void {
    if (state === "quarantine") this.#resting.add(prefix);
    if (namespace !== null && name !== null) {
      const key = serviceKey(cidrFamily(prefix), namespace, name);
      const other = this.#byService.get(key);
      if (other !== undefined) throw new Error(`service ${namespace}/${name} has two addresses: ${other}, ${prefix}`);
      this.#byService.set(key, prefix);
    }
    if (askedBy !== null) this.#asked.set(askedBy, this.asked(askedBy) + 1);
    if (uid === null) return;
    const held = this.#byUid.get(uid);
    if (held === undefined) this.#byUid.set(uid, new Set([prefix]));
    else held.add(prefix);
  }

  #unindex({ prefix, uid, namespace, name, askedBy }: Allocation): void {
    this.#resting.delete(prefix);
    if (namespace !== null && name !== null) this.#byService.delete(serviceKey(cidrFamily(prefix), namespace, name));
    if (askedBy !== null) {
      const left = this.asked(askedBy) - 1;
      if (left === 0) this.#asked.delete(askedBy);
      else this.#asked.set(askedBy, left);
    }
    if (uid === null) return;
    const held = this.#byUid.get(uid);
    held?.delete(prefix);
    if (held?.size === 0) this.#byUid.delete(uid);
  }

  #at(prefixes: Iterable<Cidr>): readonly Allocation[] {
    return [...prefixes].flatMap((prefix) => this.at(prefix) ?? []);
  }
}

/** serviceKey cannot be ambiguous: names are DNS labels and hold no slash. */
export function serviceKey(family: Family, namespace: Namespace, name: ServiceName): string {
  return `${family}/${namespace}/${name}`;
}

/** sameOwner reports whether both are the same thing's, in whichever state: a prefix never changes hands directly. */
function sameOwner(a: Allocation, b: Allocation): boolean {
  return a.kind === b.kind && a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;
}

/** byAddress sorts entries; no two have the same base, since none overlap. */
function byAddress({ parts: a }: Entry, { parts: b }: Entry): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.base < b.base ? -1 : a.base > b.base ? 1 : 0;
}
