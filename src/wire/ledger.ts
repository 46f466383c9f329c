import {
  type Cidr,
  type ClusterId,
  contains,
  covers,
  type Ip,
  type Namespace,
  overlaps,
  type ServiceName,
  type Uid,
} from "#values";
import type { GrantBody, GrantEntry } from "./bodies.ts";

type PodsGrant = Extract<GrantEntry, { kind: "pods" }>;
type GatewayGrant = Extract<GrantEntry, { kind: "gateway" }>;

/** Holding is what one membership (uid, generation) was granted and still has. */
export interface Holding {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly generation: number;
  readonly pods: readonly PodsGrant[];
  readonly nodes: readonly Cidr[];
  readonly gateways: readonly GatewayGrant[];
}

/** Overlap is two live allocations that share addresses: the later one is not believed. */
export interface Overlap {
  readonly kept: string;
  readonly refused: string;
}

interface Live {
  readonly entry: GrantEntry;
  readonly prefix: Cidr;
}

/** Ledger is the fold of the broker's grants in the order of their numbers: who has which addresses now.
 *  Grants must be applied in ascending order; where two overlap the first stays (architecture: "keep the first"). */
export class Ledger {
  readonly #prefixes = new Map<Cidr, Live>();
  readonly #services = new Map<string, Ip>();
  readonly #byAddress = new Map<string, string>();
  readonly #gateways = new Map<string, GatewayGrant>();
  readonly #holdings = new Map<ClusterId, Holding>();

  /** apply folds one grant record and reports the overlaps in it. */
  apply(body: GrantBody): readonly Overlap[] {
    const found: Overlap[] = [];
    for (const entry of body.entries) this.#applyEntry(entry, found);
    return found;
  }

  serviceAddress(key: string): Ip | undefined {
    return this.#services.get(key);
  }

  /** serviceAt is the "namespace/name" to which a service address was granted. */
  serviceAt(address: Ip): string | undefined {
    return this.#byAddress.get(address);
  }

  services(): ReadonlyMap<string, Ip> {
    return this.#services;
  }

  holding(cluster: ClusterId): Holding | undefined {
    return this.#holdings.get(cluster);
  }

  holdings(): IterableIterator<Holding> {
    return this.#holdings.values();
  }

  /** owns reports whether an address is a pod's or a node's of a member. */
  owns(cluster: ClusterId, address: Ip): boolean {
    const holding = this.#holdings.get(cluster);
    if (holding === undefined) return false;
    return (
      holding.pods.some(({ prefix }) => contains(prefix, address)) || holding.nodes.some((p) => contains(p, address))
    );
  }

  /** prefixes lists every prefix that is taken, and by whom. */
  *prefixes(): Generator<{ readonly prefix: Cidr; readonly owner: string }> {
    for (const [prefix, { entry }] of this.#prefixes) yield { prefix, owner: ownerOf(entry) };
  }

  /** ownerAt names who has exactly this prefix; undefined where nobody has. */
  ownerAt(prefix: Cidr): string | undefined {
    const live = this.#prefixes.get(prefix);
    return live === undefined ? undefined : ownerOf(live.entry);
  }

  /** live says all that is granted now, as entries that a ledger which knows nothing yet could apply. */
  *live(): Generator<GrantEntry> {
    for (const { entry } of this.#prefixes.values()) yield entry;
    yield* this.#gateways.values();
    for (const [key, address] of this.#services) {
      const [namespace = "", name = ""] = key.split("/");
      yield { kind: "service", namespace: namespace as Namespace, name: name as ServiceName, address };
    }
  }

  /** holderOf is the member that has exactly this prefix now. */
  holderOf(prefix: Cidr): ClusterId | undefined {
    const entry = this.#prefixes.get(prefix)?.entry;
    return entry !== undefined && "cluster" in entry ? entry.cluster : undefined;
  }

  #applyEntry(entry: GrantEntry, found: Overlap[]): void {
    switch (entry.kind) {
      case "pods":
      case "nodes":
      case "reserved":
        return this.#putPrefix(entry, entry.prefix, found);
      case "service": {
        const key = `${entry.namespace}/${entry.name}`;
        const holder = this.#byAddress.get(entry.address);
        if (holder !== undefined && holder !== key) {
          found.push({ kept: `${entry.address} of ${holder}`, refused: `${entry.address} of ${key}` });
          return;
        }
        this.#byAddress.delete(this.#services.get(key) ?? "");
        this.#services.set(key, entry.address);
        this.#byAddress.set(entry.address, key);
        return;
      }
      case "gateway":
        this.#gateways.set(`${entry.cluster}/${entry.name}`, entry);
        return this.#refresh(entry.cluster);
      case "release-gateway":
        this.#gateways.delete(`${entry.cluster}/${entry.name}`);
        return this.#refresh(entry.cluster);
      case "release":
        return this.#release(entry.prefix);
    }
  }

  #putPrefix(entry: Exclude<GrantEntry, { kind: "release" }>, prefix: Cidr, found: Overlap[]): void {
    for (const [other, live] of this.#prefixes) {
      if (other === prefix && sameOwner(live.entry, entry)) continue;
      if (!overlaps(other, prefix)) continue;
      found.push({ kept: `${other} of ${ownerOf(live.entry)}`, refused: `${prefix} of ${ownerOf(entry)}` });
      return;
    }
    this.#prefixes.set(prefix, { entry, prefix });
    if (entry.kind === "pods" || entry.kind === "nodes") this.#refresh(entry.cluster);
  }

  #release(prefix: Cidr): void {
    const live = this.#prefixes.get(prefix);
    if (live !== undefined) {
      this.#prefixes.delete(prefix);
      if (live.entry.kind === "pods" || live.entry.kind === "nodes") this.#refresh(live.entry.cluster);
      return;
    }
    const address = prefix.slice(0, prefix.indexOf("/"));
    const key = this.#byAddress.get(address);
    if (key === undefined || !covers(prefix, `${address}/${address.includes(":") ? 128 : 32}` as Cidr)) return;
    this.#byAddress.delete(address);
    this.#services.delete(key);
  }

  /** A holding belongs to the newest generation that was granted anything: what an older one had is not its. */
  #refresh(cluster: ClusterId): void {
    const entries = [...this.#prefixes.values()].map((live) => live.entry).filter((e) => belongs(e, cluster));
    const gateways = [...this.#gateways.values()].filter((grant) => grant.cluster === cluster);
    const newest = [...entries, ...gateways].reduce<GrantEntry | undefined>(
      (best, e) => (generationOf(e) > (best === undefined ? -1 : generationOf(best)) ? e : best),
      undefined,
    );
    if (newest === undefined || !("uid" in newest)) {
      this.#holdings.delete(cluster);
      return;
    }
    const { uid, generation } = newest;
    const mine = <E extends GrantEntry>(entry: E): boolean =>
      "uid" in entry && entry.uid === uid && entry.generation === generation;
    this.#holdings.set(cluster, {
      cluster,
      uid,
      generation,
      pods: entries.filter((e): e is PodsGrant => e.kind === "pods" && mine(e)),
      nodes: entries.flatMap((e) => (e.kind === "nodes" && mine(e) ? [e.prefix] : [])),
      gateways: gateways.filter(mine),
    });
  }
}

function belongs(entry: GrantEntry, cluster: ClusterId): boolean {
  return "cluster" in entry && entry.cluster === cluster;
}

function generationOf(entry: GrantEntry): number {
  return "generation" in entry ? entry.generation : -1;
}

function sameOwner(a: GrantEntry, b: GrantEntry): boolean {
  return "uid" in a && "uid" in b && a.uid === b.uid && a.cluster === b.cluster;
}

function ownerOf(entry: GrantEntry): string {
  return "cluster" in entry ? `member ${entry.cluster}` : entry.kind;
}
