import type { ClusterId, NodeName } from "#values";
import type { Candidate } from "./candidate.ts";
import { Ledger } from "./ledger.ts";
import { type Member, memberOf } from "./member.ts";
import { compareOrder, type Envelope, formatKey, type Order } from "./record.ts";
import { isSealedBy } from "./signature.ts";
import { stage } from "./stage.ts";
import { Tally } from "./tally.ts";

/** Refusal is a record that was not believed: which, and why. `code` is stable: it becomes a trouble and an audit line. */
export interface Refusal {
  readonly code:
    | "invalid"
    | "unsigned"
    | "unknown-member"
    | "key-swap"
    | "stale"
    | "equivocation"
    | "not-owned"
    | "head-mismatch"
    | "overlap";
  readonly key: string;
  readonly message: string;
}

/** Applied is what a batch did. Nothing that is in `refusals` has changed anything. */
export interface Applied {
  /** Records now in force that were not before, in an order that can be replayed. */
  readonly accepted: Envelope[];
  readonly removed: string[];
  readonly refusals: Refusal[];
  /** What changed, for those who compile from it. */
  readonly exports: Set<string>;
  readonly members: Set<ClusterId>;
  readonly grants: boolean;
  /** Members whose records did not add up to their head: ask for their snapshot. */
  readonly mismatched: Set<ClusterId>;
}

type Draft = { -readonly [K in keyof Applied]: Applied[K] };

/** Catalogue is the fold of all records: what is owned, signed and newest. One class for broker and gateways, so that
 *  both believe the same things. It is synchronous and touches nothing outside. */
export class Catalogue {
  readonly members = new Map<ClusterId, Member>();
  readonly ledger = new Ledger();
  readonly #orders = new Map<string, { readonly order: Order; readonly digest: string }>();

  /** orderOf is the order in which a record is held; undefined where it is not. */
  orderOf(key: string): Order | undefined {
    return this.#orders.get(key)?.order;
  }

  /** live are the members that have neither left nor been evicted. */
  live(): readonly Member[] {
    return [...this.members.values()].filter((member) => member.gone === null);
  }

  /** apply takes a batch. Candidates come examined; removals are hints that count only under a matching head. */
  apply(candidates: readonly Candidate[], removals: readonly string[] = [], snapshot = false): Applied {
    const draft: Draft = {
      accepted: [],
      removed: [],
      refusals: [],
      exports: new Set(),
      members: new Set(),
      grants: false,
      mismatched: new Set(),
    };
    const rank = { grant: 0, eviction: 1, leave: 1, member: 2, gateway: 3, head: 4, export: 5, nodes: 5 } as const;
    const sorted = [...candidates].sort((a, b) => rank[a.kind] - rank[b.kind] || byNumber(a, b));
    const heads = new Map<ClusterId, Extract<Candidate, { kind: "head" }>>();
    for (const candidate of sorted) {
      if (candidate.kind === "head") this.#stageHead(candidate, heads, draft);
      else if (candidate.kind !== "export" && candidate.kind !== "nodes") this.#single(candidate, draft);
    }
    for (const [cluster, head] of heads) this.#applyHead(cluster, head, sorted, removals, snapshot, draft);
    return draft;
  }

  #single(candidate: Exclude<Candidate, { kind: "head" | "export" | "nodes" }>, draft: Draft): void {
    if (this.#isOld(candidate, draft)) return;
    const fault = this.#accept(candidate, draft);
    if (fault !== undefined) draft.refusals.push({ ...fault, key: candidate.envelope.key });
    else this.#hold(candidate, draft);
  }

  #hold({ envelope, digest }: Candidate, draft: Draft): void {
    this.#orders.set(envelope.key, { order: envelope.order, digest });
    draft.accepted.push(envelope);
  }

  /** A record that is not newer changes nothing; equal order with other content is a lie by its signer. */
  #isOld({ envelope, digest }: Candidate, draft: Draft): boolean {
    const held = this.#orders.get(envelope.key);
    if (held === undefined) return false;
    const difference = compareOrder(envelope.order, held.order);
    if (difference === 0 && held.digest !== digest) {
      draft.refusals.push({ code: "equivocation", key: envelope.key, message: "two contents with one order" });
    }
    return difference <= 0;
  }

  #accept(
    candidate: Exclude<Candidate, { kind: "head" | "export" | "nodes" }>,
    draft: Draft,
  ): Omit<Refusal, "key"> | undefined {
    switch (candidate.kind) {
      case "grant": {
        draft.grants = true;
        for (const { kept, refused } of this.ledger.apply(candidate.body)) {
          const message = `${refused} overlaps ${kept}, which was granted before`;
          draft.refusals.push({ code: "overlap", key: candidate.envelope.key, message });
        }
        for (const entry of candidate.body.entries) {
          if ("cluster" in entry) draft.members.add(entry.cluster);
          if (entry.kind === "release-gateway") this.#dropGateway(entry.cluster, entry.name, draft);
          if (entry.kind === "service") draft.exports.add(`${entry.namespace}/${entry.name}`);
        }
        return undefined;
      }
      case "member":
        return this.#acceptMember(candidate, draft);
      case "eviction":
      case "leave":
        return this.#acceptEnd(candidate, draft);
      case "gateway":
        return this.#acceptGateway(candidate, draft);
    }
  }

  #acceptMember({ body }: Extract<Candidate, { kind: "member" }>, draft: Draft): Omit<Refusal, "key"> | undefined {
    const known = this.members.get(body.cluster);
    if (known !== undefined && known.body.generation === body.generation && known.body.key !== body.key) {
      return { code: "key-swap", message: `member ${body.cluster} is pinned to another key` };
    }
    if (known !== undefined && known.body.generation !== body.generation && known.gone === null) {
      return { code: "key-swap", message: `generation ${body.generation} without an end of ${known.body.generation}` };
    }
    draft.members.add(body.cluster);
    if (known !== undefined) for (const key of known.exports.keys()) draft.exports.add(key);
    this.members.set(body.cluster, memberOf(body));
    return undefined;
  }

  #acceptEnd(
    candidate: Extract<Candidate, { kind: "eviction" | "leave" }>,
    draft: Draft,
  ): Omit<Refusal, "key"> | undefined {
    const { body, kind, envelope } = candidate;
    const member = this.members.get(body.cluster);
    if (member === undefined) return undefined; // kept: it must outlive what it ends
    const same = member.body.uid === body.uid && member.body.generation === body.generation;
    if (!same) return undefined;
    if (kind === "leave" && !isSealedBy(member.key, envelope))
      return { code: "unsigned", message: "not signed by the member" };
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
    if (member === undefined)
      return { code: "unknown-member", message: `${body.cluster} is no member at generation ${body.generation}` };
    if (!isSealedBy(member.key, envelope)) return { code: "unsigned", message: "not signed by the member" };
    const grant = this.ledger.holding(body.cluster)?.gateways.find((g) => g.name === body.name);
    if (grant?.index !== body.index)
      return { code: "not-owned", message: `index ${body.index} was not granted to ${body.name}` };
    if (!this.ledger.owns(body.cluster, body.address)) {
      return { code: "not-owned", message: `${body.address} is not an address of ${body.cluster}` };
    }
    member.gateways.set(body.name, { order: envelope.order, body });
    draft.members.add(body.cluster);
    return undefined;
  }

  #memberOf(body: { cluster: ClusterId; uid: string; generation: number }): Member | undefined {
    const member = this.members.get(body.cluster);
    const same = member?.body.uid === body.uid && member.body.generation === body.generation && member.gone === null;
    return same ? member : undefined;
  }

  #stageHead(
    candidate: Extract<Candidate, { kind: "head" }>,
    heads: Map<ClusterId, Extract<Candidate, { kind: "head" }>>,
    draft: Draft,
  ): void {
    if (this.#isOld(candidate, draft)) return;
    const { body, envelope } = candidate;
    const member = this.#memberOf(body);
    const refuse = (code: Refusal["code"], message: string): void =>
      void draft.refusals.push({ code, key: envelope.key, message });
    if (member === undefined)
      return refuse("unknown-member", `${body.cluster} is no member at generation ${body.generation}`);
    if (!isSealedBy(member.key, envelope)) return refuse("unsigned", "not signed by the member");
    heads.set(body.cluster, candidate);
  }

  /** The records of one member and their head are taken together or not at all. */
  #applyHead(
    cluster: ClusterId,
    head: Extract<Candidate, { kind: "head" }>,
    candidates: readonly Candidate[],
    removals: readonly string[],
    snapshot: boolean,
    draft: Draft,
  ): void {
    const member = this.members.get(cluster);
    if (member === undefined) return;
    const owned = candidates.filter((c) => (c.kind === "export" || c.kind === "nodes") && c.at.cluster === cluster);
    const foreign = owned.flatMap((c) => this.#foreignAddress(c));
    if (foreign[0] !== undefined) {
      draft.refusals.push(...foreign);
      return;
    }
    const undo = stage(member.tally, owned, cluster, removals, snapshot);
    if (member.tally.root() !== head.body.root || member.tally.count !== head.body.count) {
      undo.revert();
      draft.mismatched.add(cluster);
      draft.refusals.push({
        code: "head-mismatch",
        key: head.envelope.key,
        message: "records do not add up to the head",
      });
      return;
    }
    member.head = { order: head.envelope.order, body: head.body, envelope: head.envelope };
    for (const key of undo.removed) this.#forget(member, key, draft);
    for (const candidate of owned) this.#keep(member, candidate, draft);
    this.#hold(head, draft);
    draft.members.add(cluster);
  }

  #keep(member: Member, candidate: Candidate, draft: Draft): void {
    const held = this.#orders.get(candidate.envelope.key);
    if (held?.digest === candidate.digest && compareOrder(held.order, candidate.envelope.order) === 0) return;
    if (candidate.kind === "nodes") member.nodes = candidate.body;
    if (candidate.kind === "export") {
      const key = `${candidate.body.namespace}/${candidate.body.name}`;
      member.exports.set(key, candidate.body);
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
    this.#orders.delete(recordKey);
    draft.removed.push(recordKey);
  }

  /** A member that is gone keeps its member record and its end; everything else of it goes. */
  #drop(member: Member, draft: Draft): void {
    for (const key of member.tally.keys()) this.#forget(member, key, draft);
    for (const name of [...member.gateways.keys()]) this.#dropGateway(member.cluster, name, draft);
    if (member.head !== null) {
      this.#orders.delete(member.head.envelope.key);
      draft.removed.push(member.head.envelope.key);
    }
    member.tally = new Tally();
    member.head = null;
  }

  #dropGateway(cluster: ClusterId, name: NodeName, draft: Draft): void {
    if (this.members.get(cluster)?.gateways.delete(name) !== true) return;
    const key = formatKey({ kind: "gateway", cluster, name });
    this.#orders.delete(key);
    draft.removed.push(key);
  }

  #foreignAddress(candidate: Candidate): Refusal[] {
    const addresses =
      candidate.kind === "export"
        ? candidate.body.slices.flatMap((slice) => slice.endpoints.map((endpoint) => endpoint.address))
        : candidate.kind === "nodes"
          ? candidate.body.nodes.map((node) => node.address)
          : [];
    const cluster = "cluster" in candidate.at ? candidate.at.cluster : undefined;
    const wrong = cluster === undefined ? undefined : addresses.find((address) => !this.ledger.owns(cluster, address));
    if (wrong === undefined) return [];
    return [{ code: "not-owned", key: candidate.envelope.key, message: `${wrong} is not an address of ${cluster}` }];
  }
}

function byNumber(a: Candidate, b: Candidate): number {
  return a.kind === "grant" && b.kind === "grant" ? a.body.number - b.body.number : 0;
}
