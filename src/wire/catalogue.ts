import type { ClusterId, NodeName } from "#values";
import { type Applied, type Draft, emptyDraft, type Refusal } from "./applied.ts";
import type { GrantEntry } from "./bodies.ts";
import { type Bounds, outside } from "./bounds.ts";
import type { Candidate } from "./candidate.ts";
import { Ends } from "./ends.ts";
import { foreignAddress, gatewayFault, membershipFault, olderThan, unknownMember, unsigned } from "./faults.ts";
import { Grants } from "./grants.ts";
import { Held } from "./held.ts";
import type { Ledger } from "./ledger.ts";
import { type Member, memberOf } from "./member.ts";
import { type HeadCandidate, type OwnedCandidate, partition, type SingleCandidate } from "./partition.ts";
import { compareOrder, type Envelope, formatKey, type Order } from "./record.ts";
import { digestOf } from "./signature.ts";
import { stage } from "./stage.ts";
import { Tally } from "./tally.ts";

/** Catalogue is the fold of all records: what is owned, signed and newest. One class for broker and gateways, so that
 *  both believe the same things. It is synchronous and touches nothing outside. */
export class Catalogue {
  readonly members = new Map<ClusterId, Member>();
  readonly grants = new Grants();
  /** Null where nobody has said: the broker bounds by its pools what it grants. */
  bounds: Bounds | null = null;
  readonly #held = new Held();
  readonly #ends = new Ends();

  /** What was granted and is live: another object after a grant that came out of turn, so it is not to be kept. */
  get ledger(): Ledger {
    return this.grants.ledger;
  }

  /** The records that are compared when a session begins: two catalogues with one root know the same of these. */
  get chronicle(): Tally {
    return this.#held.chronicle;
  }

  /** orderOf is the order in which a record is held; undefined where it is not. */
  orderOf(key: string): Order | undefined {
    return this.#held.get(key)?.order;
  }

  /** holds reports whether exactly this record is in force already. */
  holds(envelope: Envelope): boolean {
    const held = this.#held.get(envelope.key);
    return held !== undefined && this.#held.has(envelope.key, envelope.order, digestOf(envelope));
  }

  /** live are the members that have neither left nor been evicted. */
  live(): readonly Member[] {
    return [...this.members.values()].filter((member) => member.gone === null);
  }

  /** apply takes a batch. Candidates come examined; removals are hints that count only under a matching head. */
  apply(candidates: readonly Candidate[], removals: readonly string[] = [], snapshot = false): Applied {
    const steps = this.applying(candidates, removals, snapshot);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /** applying is apply in small steps, for a large batch beside other work. Whoever reads in between sees some of the
   *  members' records already; each is owned, signed and newest all the same. */
  *applying(
    candidates: readonly Candidate[],
    removals: readonly string[] = [],
    snapshot = false,
  ): Generator<void, Applied> {
    const draft = emptyDraft();
    const parts = partition(candidates);
    const heads = new Map<ClusterId, HeadCandidate>();
    for (const candidate of parts.singles) {
      this.#single(candidate, draft);
      yield;
    }
    for (const candidate of parts.heads) this.#stageHead(candidate, heads, draft);
    for (const [cluster, head] of heads) {
      yield* this.#applyHead(head, parts.owned.get(cluster) ?? [], { removals, snapshot }, draft);
    }
    return draft;
  }

  #single(candidate: SingleCandidate, draft: Draft): void {
    if (this.#isOld(candidate, draft)) return;
    const fault = this.#accept(candidate, draft);
    if (fault !== undefined) draft.refusals.push({ ...fault, key: candidate.envelope.key });
    else this.#hold(candidate, draft);
  }

  #hold({ envelope, digest }: Candidate, draft: Draft): void {
    this.#held.put(envelope, digest);
    draft.accepted.push(envelope);
  }

  /** A record that is not newer changes nothing; equal order with other content is a lie by its signer. */
  #isOld(candidate: Candidate, draft: Draft): boolean {
    const { envelope, digest } = candidate;
    if (candidate.kind === "grant" && this.grants.isVoid(candidate.body.number)) return true;
    const held = this.#held.get(envelope.key);
    if (held === undefined) return false;
    const difference = compareOrder(envelope.order, held.order);
    if (difference === 0 && held.digest !== digest) {
      draft.refusals.push({ code: "equivocation", key: envelope.key, message: "two contents with one order" });
    }
    if (difference < 0)
      draft.refusals.push({ code: "stale", key: envelope.key, message: olderThan(envelope, held.order) });
    return difference <= 0;
  }

  #accept(candidate: SingleCandidate, draft: Draft): Omit<Refusal, "key"> | undefined {
    switch (candidate.kind) {
      case "grant":
        return this.#acceptGrant(candidate, draft);
      case "member":
        return this.#acceptMember(candidate, draft);
      case "eviction":
      case "leave":
        return this.#acceptEnd(candidate, draft);
      case "gateway":
        return this.#acceptGateway(candidate, draft);
    }
  }

  #acceptGrant(
    { body, envelope }: Extract<Candidate, { kind: "grant" }>,
    draft: Draft,
  ): Omit<Refusal, "key"> | undefined {
    const lie = outside(this.bounds, body.entries);
    if (lie !== undefined) return { code: "out-of-bounds", message: lie };
    for (const entry of body.entries) this.#reconsider(entry, draft);
    const folded = this.grants.take(body);
    if (folded.refused !== undefined) return { code: "overlap", message: folded.refused };
    for (const { kept, refused } of folded.overlaps) {
      const message = `${refused} overlaps ${kept}, which was granted before`;
      draft.refusals.push({ code: "overlap", key: envelope.key, message });
    }
    for (const number of folded.voided) this.#remove(formatKey({ kind: "grant", number }), draft);
    for (const cluster of folded.clusters) draft.members.add(cluster);
    for (const key of folded.services) draft.exports.add(key);
    // A base in which nothing is new, as most are, sends nobody to look at the network again.
    draft.grants ||=
      body.base === undefined ? body.entries.some(({ kind }) => kind !== "service") : folded.clusters.size > 0;
    for (const cluster of folded.clusters) this.#dropUngranted(cluster, draft);
    return undefined;
  }

  /** A gateway whose index was taken back is not there any more. */
  #dropUngranted(cluster: ClusterId, draft: Draft): void {
    const granted = new Set(this.ledger.holding(cluster)?.gateways.map(({ name }) => name));
    const gateways = this.members.get(cluster)?.gateways.keys() ?? [];
    for (const name of [...gateways]) if (!granted.has(name)) this.#dropGateway(cluster, name, draft);
  }

  /** Where prefixes come or go, what a member exports may no longer be its own. */
  #reconsider(entry: GrantEntry, draft: Draft): void {
    if (!("prefix" in entry)) return;
    const cluster = "cluster" in entry ? entry.cluster : this.ledger.holderOf(entry.prefix);
    const exports = cluster === undefined ? undefined : this.members.get(cluster)?.exports;
    for (const key of exports?.keys() ?? []) draft.exports.add(key);
  }

  #acceptMember({ body }: Extract<Candidate, { kind: "member" }>, draft: Draft): Omit<Refusal, "key"> | undefined {
    const known = this.members.get(body.cluster);
    const fault = known === undefined ? undefined : membershipFault(known, body);
    if (fault !== undefined) return fault;
    // Said again: what the member published stays, and so does its end.
    if (known?.body.generation === body.generation) return undefined;
    draft.members.add(body.cluster);
    if (known !== undefined) for (const key of known.exports.keys()) draft.exports.add(key);
    const member = memberOf(body);
    member.gone = this.#ends.of(body, member.key);
    this.members.set(body.cluster, member);
    return undefined;
  }

  #acceptEnd(
    candidate: Extract<Candidate, { kind: "eviction" | "leave" }>,
    draft: Draft,
  ): Omit<Refusal, "key"> | undefined {
    const { body, kind, envelope } = candidate;
    const member = this.members.get(body.cluster);
    const same = member?.body.uid === body.uid && member.body.generation === body.generation;
    if (member === undefined || !same) return this.#ends.keep(candidate);
    const fault = kind === "leave" ? unsigned(member, envelope) : undefined;
    if (fault !== undefined) return fault;
    member.gone = kind === "leave" ? "left" : "evicted";
    draft.members.add(body.cluster);
    for (const key of member.exports.keys()) draft.exports.add(key);
    this.#drop(member, draft);
    return undefined;
  }

  #acceptGateway(
    { body, envelope }: Extract<Candidate, { kind: "gateway" }>,
    draft: Draft,
  ): Omit<Refusal, "key"> | undefined {
    const member = this.#memberOf(body);
    if (member === undefined) return unknownMember(body);
    const fault = gatewayFault(member, this.ledger, { body, envelope });
    if (fault !== undefined) return fault;
    member.gateways.set(body.name, { order: envelope.order, body });
    draft.members.add(body.cluster);
    return undefined;
  }

  #memberOf(body: { cluster: ClusterId; uid: string; generation: number }): Member | undefined {
    const member = this.members.get(body.cluster);
    const same = member?.body.uid === body.uid && member.body.generation === body.generation && member.gone === null;
    return same ? member : undefined;
  }

  #stageHead(candidate: HeadCandidate, heads: Map<ClusterId, HeadCandidate>, draft: Draft): void {
    if (this.#isOld(candidate, draft)) return;
    const { body, envelope } = candidate;
    const member = this.#memberOf(body);
    const fault = member === undefined ? unknownMember(body) : unsigned(member, envelope);
    if (fault === undefined) heads.set(body.cluster, candidate);
    else draft.refusals.push({ ...fault, key: envelope.key });
  }

  /** The records of one member and their head are taken together or not at all. */
  *#applyHead(
    head: HeadCandidate,
    owned: readonly OwnedCandidate[],
    { removals, snapshot }: { readonly removals: readonly string[]; readonly snapshot: boolean },
    draft: Draft,
  ): Generator<void> {
    const { cluster } = head.body;
    const member = this.members.get(cluster);
    if (member === undefined) return;
    const foreign: Refusal[] = [];
    for (const candidate of owned) {
      foreign.push(...foreignAddress(this.ledger, candidate));
      yield;
    }
    if (foreign.length > 0) {
      draft.refusals.push(...foreign);
      return;
    }
    const staged = stage(member.tally, owned, cluster, removals, snapshot);
    yield* member.tally.rehash();
    if (member.tally.root() !== head.body.root || member.tally.count !== head.body.count) {
      staged.revert();
      draft.mismatched.add(cluster);
      const message = "records do not add up to the head";
      draft.refusals.push({ code: "head-mismatch", key: head.envelope.key, message });
      return;
    }
    member.head = { order: head.envelope.order, body: head.body, envelope: head.envelope };
    for (const key of staged.removed) this.#forget(member, key, draft);
    for (const candidate of owned) {
      this.#keep(member, candidate, draft);
      yield;
    }
    this.#hold(head, draft);
    draft.members.add(cluster);
  }

  #keep(member: Member, candidate: OwnedCandidate, draft: Draft): void {
    if (this.#held.has(candidate.envelope.key, candidate.envelope.order, candidate.digest)) return;
    if (candidate.kind === "nodes") member.nodes = candidate.body;
    if (candidate.kind === "export") {
      const key = `${candidate.body.namespace}/${candidate.body.name}`;
      member.exports.set(key, candidate.envelope.body, candidate.body.type);
      draft.exports.add(key);
    }
    this.#hold(candidate, draft);
  }

  #forget(member: Member, recordKey: string, draft: Draft): void {
    const [kind, , namespace, name] = recordKey.split("/");
    if (kind === "nodes") member.nodes = null;
    if (kind === "export") {
      member.exports.delete(`${namespace}/${name}`);
      draft.exports.add(`${namespace}/${name}`);
    }
    this.#remove(recordKey, draft);
  }

  #remove(recordKey: string, draft: Draft): void {
    this.#held.delete(recordKey);
    draft.removed.push(recordKey);
  }

  /** A member that is gone keeps its member record and its end; everything else of it goes. */
  #drop(member: Member, draft: Draft): void {
    for (const key of [...member.tally.keys()]) this.#forget(member, key, draft);
    for (const name of [...member.gateways.keys()]) this.#dropGateway(member.cluster, name, draft);
    if (member.head !== null) this.#remove(member.head.envelope.key, draft);
    member.tally = new Tally();
    member.head = null;
  }

  #dropGateway(cluster: ClusterId, name: NodeName, draft: Draft): void {
    if (this.members.get(cluster)?.gateways.delete(name) !== true) return;
    this.#remove(formatKey({ kind: "gateway", cluster, name }), draft);
  }
}
