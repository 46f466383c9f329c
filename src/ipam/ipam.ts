import {
  type Cidr,
  cidrFamily,
  covers,
  err,
  type Ip,
  type Millis,
  type Namespace,
  ok,
  type Result,
  type ServiceName,
  type Uid,
} from "#values";
import { type Allocation, describe, granted, type Refusal, refusal, rested, revived } from "./allocation.ts";
import { Ledger } from "./ledger.ts";
import { type NodesAsk, proposeNodes } from "./propose-nodes.ts";
import { type PodsAsk, proposePods } from "./propose-pods.ts";
import { proposeServices, type ServiceAsk } from "./propose-services.ts";

/** IpamOptions of a broker. The supernets are fixed from its first start. */
export interface IpamOptions {
  /** One per family at most. */
  readonly supernets: readonly Cidr[];
  /** How long a released prefix rests before anyone else may have it. */
  readonly quarantineMs: Millis;
  /** Service addresses that one member may have. */
  readonly servicesPerCluster?: number;
}

/** ReserveAsk keeps a prefix away from everybody. */
export interface ReserveAsk {
  readonly prefix: Cidr;
  readonly note: string;
}

/** Releasable names what is given up: all that a member has, a service's addresses, or one prefix. */
export type Releasable =
  | { readonly uid: Uid }
  | { readonly namespace: Namespace; readonly name: ServiceName }
  | { readonly prefix: Cidr };

/** Ipam decides who owns which address. Each change has three steps, and the caller lets no other change begin between
 *  them: `propose…` says what to write and changes nothing; the caller writes it durably; `apply` makes it so. */
export class Ipam {
  readonly #supernets: readonly Cidr[];
  readonly #quarantineMs: number;
  readonly #servicesPerCluster: number;
  #ledger: Ledger;

  /** Throws RangeError on supernets that `supernetFault` refuses, or on two of a family. */
  constructor({ supernets, quarantineMs, servicesPerCluster = 20_000 }: IpamOptions) {
    if (!(quarantineMs >= 0)) throw new RangeError(`quarantineMs must be 0 or more: ${quarantineMs}`);
    this.#supernets = supernets;
    this.#quarantineMs = quarantineMs;
    this.#servicesPerCluster = servicesPerCluster;
    this.#ledger = new Ledger(supernets);
  }

  /** load replaces all that is known. Throws, and keeps what was, when two overlap or one lies outside the supernets:
   *  the store is damaged. */
  load(allocations: readonly Allocation[]): void {
    const ledger = new Ledger(this.#supernets);
    for (const allocation of allocations) {
      if (ledger.at(allocation.prefix) !== undefined) throw new Error(`${allocation.prefix} is there twice`);
      ledger.put(allocation);
    }
    this.#ledger = ledger;
  }

  /** proposePods asks for a global prefix for a pod CIDR; sticky by (uid, local). A change of the wanted prefix returns
   *  two allocations, the old one in quarantine first. */
  proposePods(ask: PodsAsk, now: Millis): Result<readonly Allocation[], Refusal> {
    return proposePods(this.#ledger, ask, now);
  }

  /** proposeNodes asks for a member's node addresses; sticky by uid. */
  proposeNodes(ask: NodesAsk, now: Millis): Result<readonly Allocation[], Refusal> {
    return proposeNodes(this.#ledger, ask, now);
  }

  /** proposeServices asks for service addresses, one result for each ask in order; sticky by namespace and name. */
  proposeServices(asks: readonly ServiceAsk[], now: Millis): readonly Result<Allocation, Refusal>[] {
    return proposeServices(this.#ledger, asks, now, this.#servicesPerCluster);
  }

  /** proposeReserve keeps a prefix of any pool from being granted; asked again, it only renews the note. */
  proposeReserve({ prefix, note }: ReserveAsk, now: Millis): Result<readonly Allocation[], Refusal> {
    const space = this.#ledger.spaces.get(cidrFamily(prefix));
    if (space === undefined || !covers(space.supernet, prefix)) {
      return err(refusal("outside-supernet", `${prefix} is outside the supernet ${this.#supernets.join(", ")}`));
    }
    const there = this.#ledger.at(prefix);
    if (there?.kind === "reserved") return ok([revived(there, { note }, now)]);
    const owner = this.#ledger.overlapping(prefix);
    if (owner !== undefined) return err(refusal("overlap", `${prefix} overlaps ${describe(owner)}`, owner));
    return ok([granted({ prefix, kind: "reserved", note }, now)]);
  }

  /** proposeRelease sends what is live into quarantine; what rests already, or is unknown, is left out. */
  proposeRelease(of: Releasable, now: Millis): readonly Allocation[] {
    return this.#named(of)
      .filter((a) => a.state === "live")
      .map((a) => rested(a, now));
  }

  /** expired lists what has rested long enough. It stays taken until the caller has deleted it and calls `forget`. */
  expired(now: Millis): readonly Allocation[] {
    return this.#ledger.resting().filter((a) => a.since + this.#quarantineMs <= now);
  }

  /** apply makes written proposals so. Throws when one overlaps another allocation or has another owner: something was
   *  applied in between. */
  apply(allocations: readonly Allocation[]): void {
    for (const allocation of allocations) this.#ledger.put(allocation);
  }

  /** forget frees deleted allocations. Throws when one is live again: the caller let a proposal in between. */
  forget(allocations: readonly Allocation[]): void {
    for (const { prefix } of allocations) {
      const now = this.#ledger.at(prefix);
      if (now?.state === "live") throw new Error(`cannot forget ${describe(now)}: it is live`);
      this.#ledger.drop(prefix);
    }
  }

  /** whois is the allocation, live or resting, that an address lies in. */
  whois(ip: Ip): Allocation | undefined {
    return this.#ledger.whois(ip);
  }

  /** list is every allocation, IPv4 before IPv6, by number. The same array until something changes. */
  list(): readonly Allocation[] {
    return this.#ledger.list();
  }

  /** #named is what a release would give up, live or not. */
  #named(of: Releasable): readonly Allocation[] {
    if ("uid" in of) return this.#ledger.of(of.uid);
    if ("prefix" in of) return [this.#ledger.at(of.prefix)].flatMap((a) => a ?? []);
    return [...this.#ledger.spaces.keys()].flatMap(
      (family) => this.#ledger.service(family, of.namespace, of.name) ?? [],
    );
  }
}
