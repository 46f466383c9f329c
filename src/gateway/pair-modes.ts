import {
  type Cidr,
  type ClusterId,
  cidrFamily,
  cidrParts,
  covers,
  familyOf,
  type Ip,
  ipv4Value,
  overlaps,
} from "#values";
import { type Catalogue, MAX_TAKEN, type Member } from "#wire";

/** PairMode is how this member and another reach each other's pods:
 *  - `direct`: by their own addresses, untranslated;
 *  - `globalnet`: by their global ones. `why` is what speaks against the other; null where neither side asked for it.
 *
 *  It follows from signed records alone, which both sides have, so both come to the same: the pod CIDRs from the broker's
 *  grants, and from each gateway's own record that it offers direct routing and what it uses beside its pods. */
export type PairMode = { readonly kind: "direct" } | { readonly kind: "globalnet"; readonly why: string | null };

/** Private address space (RFC 1918, RFC 6598). What lies outside of it is somebody's on the Internet: a member that says
 *  it is its pods' would have the traffic of all others to it. */
const PRIVATE = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
] as readonly string[] as readonly Cidr[];

/** pairModes is pure: the mode of this member with each other one that is live. */
export function pairModes(catalogue: Catalogue, own: ClusterId): ReadonlyMap<ClusterId, PairMode> {
  const members = [...catalogue.live()].sort(byAge);
  const offers = offersOf(catalogue, members);
  const mine = offers.get(own);
  const others = members.filter(({ cluster }) => cluster !== own);
  return new Map(others.map(({ cluster }) => [cluster, modeOf(mine, offers.get(cluster))] as const));
}

/** byAge: of two members that claim the same the one that joined first has it. */
export function byAge(a: Member, b: Member): number {
  return a.body.joinedAt - b.body.joinedAt || (a.cluster < b.cluster ? -1 : 1);
}

/** podsOf are a member's pod CIDRs as it knows them, and as the broker signed them. */
export function podsOf(catalogue: Catalogue, cluster: ClusterId): readonly Cidr[] {
  const pods = catalogue.ledger.holding(cluster)?.pods ?? [];
  return pods.flatMap(({ local, prefix }) => (cidrFamily(prefix) === 4 ? [local] : [])).sort();
}

/** takenHere is what a gateway says it uses itself beside its pods. Too many to say stand for all there are: then nobody
 *  is routed directly rather than somebody over a network of ours. */
export function takenHere(pods: readonly Cidr[], used: readonly Cidr[]): readonly Cidr[] {
  const near = used.filter((cidr) => PRIVATE.some((area) => overlaps(area, cidr)));
  const beside = [...new Set(near)].filter((cidr) => !pods.some((pod) => covers(pod, cidr)));
  const least = beside.filter((cidr) => !beside.some((other) => other !== cidr && covers(other, cidr))).sort();
  return least.length > MAX_TAKEN ? PRIVATE : least;
}

/** Range is a network with its first and last address as numbers: every pair of members is compared, again and again. */
interface Range {
  readonly cidr: Cidr;
  readonly first: number;
  readonly last: number;
}

/** Offer is what one member offers: its pods by their own addresses, or why not. */
interface Offer {
  readonly cluster: ClusterId;
  readonly pods: readonly Range[];
  readonly taken: readonly Range[];
  /** Whether it asked for it at all. */
  readonly asked: boolean;
  readonly fault: string | null;
}

/** An offer that holds for nobody is found in the order of age, so that all members find the same. */
function offersOf(catalogue: Catalogue, members: readonly Member[]): ReadonlyMap<ClusterId, Offer> {
  const good: Offer[] = [];
  const ends = endsOf(members);
  const offers = members.map((member): Offer => {
    const { cluster } = member;
    const gateways = [...member.gateways.values()].map(({ body }) => body);
    const asked = gateways.length > 0 && gateways.every(({ direct }) => direct != null);
    if (!asked) {
      const some = gateways.some(({ direct }) => direct != null) ? ", in one of its gateways at least" : "";
      return { cluster, pods: [], taken: [], asked, fault: `${cluster} has --globalnet on${some}` };
    }
    const pods = rangesOf(podsOf(catalogue, cluster));
    const fault = spaceFault(catalogue, cluster, pods) ?? claimFault(cluster, pods, good, ends);
    const offer = {
      cluster,
      pods,
      taken: rangesOf(gateways.flatMap(({ direct }) => direct?.taken ?? [])),
      asked,
      fault,
    };
    if (fault === null) good.push(offer);
    return offer;
  });
  return new Map(offers.map((offer) => [offer.cluster, offer]));
}

interface End {
  readonly host: Ip;
  readonly value: number;
  readonly whose: string;
}

/** Where the gateways are reached: each address once, with whose it is. */
function endsOf(members: readonly Member[]): readonly End[] {
  const ends = new Map<Ip, string>();
  for (const { gateways } of members) {
    for (const { body } of gateways.values()) {
      for (const at of body.endpoints) if (at != null) ends.set(at.host, `${body.cluster}/${body.name}`);
    }
  }
  return [...ends].flatMap(([host, whose]) => (familyOf(host) === 4 ? [{ host, value: ipv4Value(host), whose }] : []));
}

/** What is wrong with addresses, whoever else has them. */
function spaceFault({ ledger, bounds }: Catalogue, cluster: ClusterId, pods: readonly Range[]): string | null {
  if (pods.length === 0) return `the pods of ${cluster} are not known yet`;
  const open = pods.find(({ cidr }) => !PRIVATE.some((area) => covers(area, cidr)));
  if (open !== undefined) return `${open.cidr}, pods of ${cluster}, is not private address space (RFC 1918, RFC 6598)`;
  const both = crossing(pods, rangesOf(bounds?.supernets ?? []));
  if (both !== undefined) return `${both[0]}, pods of ${cluster}, overlaps the supernet ${both[1]}`;
  // Else an endpoint of theirs could mean an address outside of what they claim.
  const uneven = ledger.holding(cluster)?.pods.find(({ local, prefix }) => lengthOf(local) !== lengthOf(prefix));
  return uneven === undefined ? null : `${uneven.local} of ${cluster} and its ${uneven.prefix} differ in length`;
}

/** What speaks against a claim because of what others have. */
function claimFault(
  cluster: ClusterId,
  pods: readonly Range[],
  older: readonly Offer[],
  ends: readonly End[],
): string | null {
  for (const other of older) {
    const both = crossing(pods, other.pods);
    if (both !== undefined) return `${both[0]}, pods of ${cluster}, overlaps ${both[1]} of ${other.cluster}`;
  }
  // Otherwise what carries a tunnel would be sent into a tunnel.
  for (const { host, value, whose } of ends) {
    const isInside = pods.some(({ first, last }) => value >= first && value <= last);
    if (isInside) return `pods of ${cluster} include ${host}, where ${whose} is reached`;
  }
  return null;
}

function modeOf(a: Offer | undefined, b: Offer | undefined): PairMode {
  if (a === undefined || b === undefined || !(a.asked || b.asked)) return { kind: "globalnet", why: null };
  const [shy, other] = b.asked ? [a, b] : [b, a]; // that one does not ask is reason enough
  const why = shy.fault ?? other.fault ?? takenBy(a, b) ?? takenBy(b, a);
  return why === null ? { kind: "direct" } : { kind: "globalnet", why };
}

/** Why one member cannot have a route to the other's pods. */
function takenBy(one: Offer, other: Offer): string | null {
  const both = crossing(other.pods, one.taken);
  if (both === undefined) return null;
  return `${both[0]}, pods of ${other.cluster}, overlaps ${both[1]}, which ${one.cluster} uses itself`;
}

function lengthOf(cidr: Cidr): number {
  return cidrParts(cidr).length;
}

function rangesOf(cidrs: readonly Cidr[]): readonly Range[] {
  return cidrs.flatMap((cidr) => {
    const { family, base, size } = cidrParts(cidr);
    return family === 4 ? [{ cidr, first: Number(base), last: Number(base + size) - 1 }] : [];
  });
}

function crossing(these: readonly Range[], those: readonly Range[]): readonly [Cidr, Cidr] | undefined {
  for (const one of these) {
    for (const other of those) if (one.first <= other.last && other.first <= one.last) return [one.cidr, other.cidr];
  }
  return undefined;
}
