import {
  BITS,
  type Cidr,
  type ClusterId,
  cidrFamily,
  cidrOf,
  cidrParts,
  covers,
  err,
  type Millis,
  ok,
  type Result,
  type Uid,
} from "#values";
import { type Allocation, describe, granted, type Refusal, refusal, rested, revived } from "./allocation.ts";
import type { Ledger } from "./ledger.ts";
import { memberNumber } from "./number.ts";
import type { Space } from "./space.ts";

/** PodsAsk asks for the global prefix that stands for one pod CIDR of a member. */
export interface PodsAsk {
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly local: Cidr;
  /** By hand: this prefix or none. */
  readonly wanted?: Cidr;
}

/** proposePods finds a prefix as long as the pod CIDR: the one that the member has or had for it, or the one wanted, or
 *  one in the slot of the member's number, or beside what it has, or the first fit. */
export function proposePods(ledger: Ledger, ask: PodsAsk, now: Millis): Result<readonly Allocation[], Refusal> {
  const space = ledger.spaces.get(cidrFamily(ask.local));
  if (space === undefined) {
    return err(refusal("unknown", `there is no IPv${cidrFamily(ask.local)} supernet for pod CIDR ${ask.local}`));
  }
  const held = heldFor(ledger, ask);
  if (ask.wanted !== undefined) return byHand(ledger, space, { ...ask, wanted: ask.wanted }, held, now);
  if (held !== undefined) return ok([revived(held, { cluster: ask.cluster }, now)]);
  const prefix = choose(ledger, space, ask);
  return prefix === undefined ? err(exhausted(ledger, space, ask.local)) : ok([grant(ask, prefix, now)]);
}

/** heldFor is what stands or stood for the pod CIDR: the live prefix, else the one given up last. */
function heldFor(ledger: Ledger, { uid, local }: PodsAsk): Allocation | undefined {
  const all = ledger.of(uid).filter((a) => a.kind === "pods" && a.local === local);
  return all.find((a) => a.state === "live") ?? all.sort((a, b) => b.since - a.since)[0];
}

/** grant is a new live allocation for the pod CIDR. */
function grant({ cluster, uid, local }: PodsAsk, prefix: Cidr, now: Millis): Allocation {
  return granted({ prefix, kind: "pods", cluster, uid, local }, now);
}

/** byHand gives the wanted prefix; a live one it replaces goes into quarantine in the same write. */
function byHand(
  ledger: Ledger,
  space: Space,
  ask: PodsAsk & { readonly wanted: Cidr },
  held: Allocation | undefined,
  now: Millis,
): Result<readonly Allocation[], Refusal> {
  const { wanted, uid, cluster, local } = ask;
  const misfit = misfitOf(space, ask);
  if (misfit !== undefined) return err(misfit);
  const there = ledger.at(wanted);
  const own = there?.kind === "pods" && there.uid === uid && (there.state === "quarantine" || there.local === local);
  const owner = own ? undefined : ledger.overlapping(wanted);
  if (owner !== undefined) return err(refusal("overlap", `${wanted} overlaps ${describe(owner)}`, owner));
  const live = own && there !== undefined ? revived(there, { cluster, local }, now) : grant(ask, wanted, now);
  const given = held?.state === "live" && held.prefix !== wanted ? [rested(held, now)] : [];
  return ok([...given, live]);
}

/** misfitOf says why a prefix could not stand for the pod CIDR, whoever else has it. */
function misfitOf(space: Space, { wanted, local }: PodsAsk & { readonly wanted: Cidr }): Refusal | undefined {
  const [want, pod] = [cidrParts(wanted), cidrParts(local)];
  if (want.family !== pod.family || want.length !== pod.length) {
    const must = `the global prefix of pod CIDR ${local} must be an IPv${pod.family} /${pod.length}`;
    return refusal("length-mismatch", `${must}, not ${wanted}`);
  }
  if (!covers(space.supernet, wanted)) {
    return refusal("outside-supernet", `${wanted} is outside the supernet ${space.supernet}`);
  }
  if (space.isPods(wanted)) return undefined;
  const pools = `${space.pools.nodes} is for nodes, ${space.pools.services} for services`;
  return refusal("outside-supernet", `${wanted} is outside the pods pool of ${space.supernet}: ${pools}`);
}

/** choose tries the readable place first, then the one to grow into, then any: all of them are hints but the length. */
function choose(ledger: Ledger, space: Space, ask: PodsAsk): Cidr | undefined {
  const { length } = cidrParts(ask.local);
  const number = memberNumber(ledger, space, ask.uid);
  const inSlot = number === undefined ? undefined : space.first(length, [space.slot(number)]);
  return inSlot ?? beside(ledger, space, ask) ?? space.roomy(length, space.pools.pods);
}

/** beside is the free buddy of a prefix of the same length that the member has: together they are one network. */
function beside(ledger: Ledger, space: Space, { uid, local }: PodsAsk): Cidr | undefined {
  const { family, length } = cidrParts(local);
  const bit = 1n << BigInt(BITS[family] - length);
  return ledger
    .of(uid)
    .filter((a) => a.kind === "pods" && a.state === "live" && cidrFamily(a.prefix) === family)
    .filter((a) => cidrParts(a.prefix).length === length)
    .map((a) => cidrOf(family, cidrParts(a.prefix).base ^ bit, length))
    .find((buddy) => space.isPods(buddy) && space.isFree(buddy));
}

/** exhausted says whether waiting could help: a pod CIDR that is too large never fits. */
function exhausted(ledger: Ledger, space: Space, local: Cidr): Refusal {
  const { length } = cidrParts(local);
  const longest = Math.min(...space.pools.pods.map((pool) => cidrParts(pool).length));
  if (length < longest) {
    const most = `the largest that the pods pool of ${space.supernet} can map is a /${longest}`;
    return refusal("pool-exhausted", `pod CIDR ${local} is larger than the pod pool: ${most}`);
  }
  const resting = ledger.resting().filter((a) => a.kind === "pods").length;
  const why = resting === 0 ? "" : `; ${resting} prefixes rest in quarantine`;
  return refusal("pool-exhausted", `no /${length} is free in the pods pool of ${space.supernet}${why}`);
}
