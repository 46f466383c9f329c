import { hash } from "node:crypto";
import {
  BITS,
  type ClusterId,
  cidrOf,
  cidrParts,
  err,
  type Family,
  type Millis,
  type Namespace,
  ok,
  type Result,
  type ServiceName,
} from "#values";
import { type Allocation, granted, type Refusal, refusal, revived } from "./allocation.ts";
import { type Ledger, serviceKey } from "./ledger.ts";
import type { Block, Space } from "./space.ts";

/** ServiceAsk asks, for a member that exports it, for the address of a Service. */
export interface ServiceAsk {
  readonly cluster: ClusterId;
  readonly namespace: Namespace;
  readonly name: ServiceName;
  /** By default that of the first supernet. */
  readonly family?: Family;
}

type Outcome = Result<Allocation, Refusal>;

/** Tries by hash before the first fit: at half full, one service in 2^64 needs more. */
const PROBES = 64;
/** Bits of an IPv6 service address that vary: 2^32 are enough, and shorter to read. */
const VARYING = 32;

/** proposeServices answers each ask in order. What is granted earlier in the batch is taken for those after, and a
 *  second ask for the same Service gets the same allocation. */
export function proposeServices(
  ledger: Ledger,
  asks: readonly ServiceAsk[],
  now: Millis,
  quota: number,
): readonly Outcome[] {
  const batch = new Batch(ledger, now, quota);
  try {
    return asks.map((ask) => batch.answer(ask));
  } finally {
    batch.undo();
  }
}

/** Batch holds what has been granted in one call. */
class Batch {
  readonly #ledger: Ledger;
  readonly #now: Millis;
  readonly #quota: number;
  readonly #given = new Map<string, Allocation>();
  readonly #counts = new Map<ClusterId, number>();
  readonly #claimed = new Map<Space, Claims>();

  constructor(ledger: Ledger, now: Millis, quota: number) {
    this.#ledger = ledger;
    this.#now = now;
    this.#quota = quota;
  }

  /** answer is sticky: what is live is given as it is, what rests comes back, anything else is new and counted. */
  answer(ask: ServiceAsk): Outcome {
    const space = ask.family === undefined ? first(this.#ledger) : this.#ledger.spaces.get(ask.family);
    if (space === undefined) return err(refusal("unknown", `there is no IPv${ask.family ?? 4} supernet for services`));
    const key = serviceKey(space.family, ask.namespace, ask.name);
    const was = this.#given.get(key) ?? this.#ledger.service(space.family, ask.namespace, ask.name);
    if (was?.state === "live") return ok(was);
    if (this.#count(ask, was) > this.#quota) return err(overQuota(ask.cluster, this.#quota));
    const now = was === undefined ? this.#grant(space, ask) : revived(was, { askedBy: ask.cluster }, this.#now);
    if (now === undefined)
      return err(refusal("pool-exhausted", `no service address is free in ${space.pools.services}`));
    this.#given.set(key, now);
    this.#counts.set(ask.cluster, (this.#counts.get(ask.cluster) ?? 0) + (was?.askedBy === ask.cluster ? 0 : 1));
    return ok(now);
  }

  /** undo gives back what the batch reserved: proposing changes nothing. */
  undo(): void {
    for (const claims of this.#claimed.values()) claims.undo();
  }

  /** #count is what would stand against the member's quota with this one. */
  #count({ cluster }: ServiceAsk, was: Allocation | undefined): number {
    const more = was?.askedBy === cluster ? 0 : 1;
    return this.#ledger.asked(cluster) + (this.#counts.get(cluster) ?? 0) + more;
  }

  #grant(space: Space, { cluster, namespace, name }: ServiceAsk): Allocation | undefined {
    const claims = this.#claimed.get(space) ?? new Claims(space);
    this.#claimed.set(space, claims);
    const block = claims.claim(`${namespace}/${name}`);
    if (block === undefined) return undefined;
    const prefix = cidrOf(space.family, block.base, block.length);
    return granted({ prefix, kind: "service", namespace, name, askedBy: cluster }, this.#now);
  }
}

/** Claims are the addresses given in one call and one supernet. They are kept beside the space, which is the faster way
 *  by half, and are reserved in it only once a first fit, which looks at the space alone, is needed. */
class Claims {
  readonly #space: Space;
  readonly #bases = new Set<bigint>();
  #reserved = false;

  constructor(space: Space) {
    this.#space = space;
  }

  /** claim is the address of a name: SHA-256 gives where to begin and an odd stride (double hashing; Knuth, TAOCP vol. 3,
   *  6.4), so the same names get the same addresses in any store that grants them in the same order, and nobody can
   *  pick names that crowd one place. The first and last address of the pool look like a network and a broadcast
   *  address to people and tools, so they are the last resort. */
  claim(key: string): Block | undefined {
    const pool = this.#space.services;
    const length = BITS[this.#space.family];
    const size = 2 ** Math.min(length - pool.length, VARYING);
    const digest = hash("sha256", key); // hexadecimal: cheaper than a buffer
    const stride = (Number.parseInt(digest.slice(8, 16), 16) | 1) >>> 0;
    let offset = Number.parseInt(digest.slice(0, 8), 16) % size;
    for (let tries = 0; tries < PROBES; tries++) {
      const block = { base: pool.base + BigInt(offset), length };
      if (offset !== 0 && offset !== size - 1 && this.#isFree(block)) return this.#keep(block);
      offset = (offset + stride) % size;
    }
    return this.#firstFit(length);
  }

  /** undo leaves the space as it was before the call. */
  undo(): void {
    if (this.#reserved) for (const base of this.#bases) this.#space.release({ base, length: BITS[this.#space.family] });
  }

  #isFree(block: Block): boolean {
    return !this.#bases.has(block.base) && this.#space.isBlockFree(block);
  }

  #keep(block: Block): Block {
    this.#bases.add(block.base);
    if (this.#reserved) this.#space.reserve(block);
    return block;
  }

  #firstFit(length: number): Block | undefined {
    if (!this.#reserved) for (const base of this.#bases) this.#space.reserve({ base, length });
    this.#reserved = true;
    const left = this.#space.first(length, [this.#space.pools.services]);
    return left === undefined ? undefined : this.#keep(cidrParts(left));
  }
}

/** first is the space of the supernet that the operator wrote first. */
function first(ledger: Ledger): Space | undefined {
  return ledger.spaces.values().next().value;
}

/** overQuota counts resting names too: else churn through ever new names would fill the pool. */
function overQuota(cluster: ClusterId, quota: number): Refusal {
  return refusal("quota", `cluster ${cluster} has ${quota} service addresses, its quota, those in quarantine counted`);
}
