import type { Allocation } from "#ipam";
import { type Cidr, err, familyOf, ok, type Result } from "#values";
import type { GrantEntry, Holding, Login } from "#wire";
import type { Book } from "./book.ts";
import type { Membership } from "./membership.ts";

/** Entitlement is what a gateway needs and does not have yet: prefixes for its pods, node addresses, an index. */
export interface Entitlement {
  readonly grants: readonly GrantEntry[];
  readonly allocations: readonly Allocation[];
  readonly index: number;
}

/** Asker is who needs it, and for which networks. */
export type Asker = Pick<Login, "cluster" | "gateway" | "network">;

interface Fault {
  readonly code: string;
  readonly message: string;
}

/** Gateways of one member; one interface stands for each index. */
const INDEXES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** Pod prefixes of one member, resting ones counted: asking for ever new ones must not empty the pool. */
const MAX_PREFIXES = 32;

/** entitle lists what a gateway is to be granted. It applies to the allocation tree as it goes, so that one proposal
 *  sees the one before: whoever does not write the result takes the tree back to what the store has. */
export function entitle(
  book: Book,
  supernets: readonly Cidr[],
  login: Asker,
  membership: Pick<Membership, "uid" | "generation">,
): Result<Entitlement, Fault> {
  const draft = new Draft(book, login, membership);
  const fault = draft.pods() ?? draft.nodes(supernets);
  if (fault !== undefined) return err(fault);
  const index = draft.index();
  return index.ok ? ok({ grants: draft.grants, allocations: draft.allocations, index: index.value }) : index;
}

class Draft {
  readonly grants: GrantEntry[] = [];
  readonly allocations: Allocation[] = [];
  readonly #book: Book;
  readonly #login: Asker;
  readonly #who: Pick<Holding, "cluster" | "uid" | "generation">;
  /** What this membership, and no earlier one, has. */
  readonly #mine: Holding | undefined;

  constructor(book: Book, login: Asker, { uid, generation }: Pick<Membership, "uid" | "generation">) {
    this.#book = book;
    this.#login = login;
    this.#who = { cluster: login.cluster, uid, generation };
    const held = book.catalogue.ledger.holding(login.cluster);
    this.#mine = held?.uid === uid && held.generation === generation ? held : undefined;
  }

  pods(): Fault | undefined {
    const { cluster, uid } = this.#who;
    for (const { cidr: local, wanted } of this.#login.network.pods) {
      const has = this.#mine?.pods.find((grant) => grant.local === local);
      if (has !== undefined && (wanted === null || wanted === has.prefix)) continue;
      const ask = { cluster, uid, local, ...(wanted === null ? {} : { wanted }) };
      const proposed = this.#book.ipam.proposePods(ask, this.#book.clock.now());
      if (!proposed.ok) return proposed.error;
      for (const allocation of proposed.value) this.#take(allocation, local);
    }
    const held = this.#book.ipam.list().filter((a) => a.kind === "pods" && a.uid === uid).length;
    return held > MAX_PREFIXES
      ? {
          code: "quota",
          message: `${cluster} has ${MAX_PREFIXES} pod prefixes, its quota, those in quarantine counted`,
        }
      : undefined;
  }

  nodes(supernets: readonly Cidr[]): Fault | undefined {
    const { cluster, uid } = this.#who;
    for (const family of supernets.map(familyOf)) {
      if (this.#mine?.nodes.some((prefix) => familyOf(prefix) === family) === true) continue;
      const proposed = this.#book.ipam.proposeNodes({ cluster, uid, family }, this.#book.clock.now());
      if (!proposed.ok) return proposed.error;
      for (const allocation of proposed.value) this.#take(allocation, null);
    }
    return undefined;
  }

  /** index is the gateway's own, or the lowest that none of its siblings has. */
  index(): Result<number, Fault> {
    const { gateway: name, cluster } = this.#login;
    const taken = this.#mine?.gateways ?? [];
    const own = taken.find((grant) => grant.name === name);
    if (own !== undefined) return ok(own.index);
    const index = INDEXES.find((i) => !taken.some((grant) => grant.index === i));
    if (index === undefined) {
      const remedy = "take one out with meridian leave --gateway";
      return err({ code: "no-index", message: `${cluster} has ${INDEXES.length} gateways already: ${remedy}` });
    }
    this.grants.push({ kind: "gateway", ...this.#who, name, index });
    return ok(index);
  }

  /** A prefix that goes to rest for another is taken back from everybody; the store and the others hear of both. */
  #take(allocation: Allocation, local: Cidr | null): void {
    const { prefix, state } = allocation;
    this.#book.ipam.apply([allocation]);
    this.allocations.push(allocation);
    if (state !== "live") this.grants.push({ kind: "release", prefix });
    else if (local === null) this.grants.push({ kind: "nodes", ...this.#who, prefix });
    else this.grants.push({ kind: "pods", ...this.#who, local, prefix });
  }
}
