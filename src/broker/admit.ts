import { fingerprintOf, secretHash, verifyProof } from "#identity";
import { type Allocation, supernetConflicts } from "#ipam";
import { Secret } from "#life";
import type { Guest, Refused } from "#sync";
import { type Cidr, err, familyOf, ok, type Result, type Uid } from "#values";
import type { Envelope, GrantEntry, Login, Member, Welcome } from "#wire";
import type { Book } from "./book.ts";

/** Admission is a gateway that was let in: what to tell it, and whether that made it (or its cluster) new. */
export interface Admission {
  readonly welcome: Omit<Welcome, "t" | "store" | "revision" | "supernets" | "allocationKey" | "seen">;
  readonly joined: boolean;
}

interface Membership {
  readonly uid: Uid;
  readonly generation: number;
  readonly member: Envelope | null;
  readonly redeem: boolean;
}

/** admit decides on a login and grants what the gateway lacks: membership (once, by token), prefixes, an index.
 *  Everything happens in one transaction, so that a crash on either side leaves it joined once or not at all. */
export function admit(book: Book, supernets: readonly Cidr[], guest: Guest): Result<Admission, Refused> {
  const { login, binding, link } = guest;
  const refuse = (code: string, message: string, retry = false): Result<never, Refused> => {
    audit(book, login, "refused", `${code}: ${message}`);
    return err({ code, message, retry });
  };
  const { cluster, uid, gateway } = login;
  if (!verifyProof(login.key, { ...binding, cluster, uid, gateway }, login.proof)) {
    return refuse("bad-proof", "the login is not signed by the key that it names, for this connection");
  }
  const membership = membershipOf(book, login);
  if (!membership.ok) return refuse(membership.error.code, membership.error.message);
  const conflict = supernetConflicts(supernets, networksOf(login))[0];
  if (conflict !== undefined) {
    return refuse(
      "overlap",
      `the clusterset's supernet ${conflict.supernet} overlaps ${conflict.cidr}, ${conflict.what} of ${cluster}`,
    );
  }
  const wanted = grantsFor(book, supernets, login, membership.value);
  if (!wanted.ok) {
    book.ipam.load(book.store.allocations()); // what earlier prefixes of this login were proposed
    return refuse(wanted.error.code, wanted.error.message);
  }
  const { grants, allocations, index } = wanted.value;
  const { member, redeem } = membership.value;
  if (member !== null || grants.length > 0 || redeem) {
    const committed = book.write({
      records: member === null ? [] : [member],
      grants,
      allocations,
      ...(redeem ? { redeem: redemption(book, login, membership.value.uid) } : {}),
      audit: [entry(book, login, "done", describe(member !== null, grants, link.remote))],
    });
    if (!committed.ok) book.ipam.load(book.store.allocations());
    if (!committed.ok)
      return refuse(committed.error.code, committed.error.message, committed.error.code === "disk-full");
  }
  const known = book.catalogue.members.get(cluster);
  return ok({
    joined: member !== null,
    welcome: {
      uid: membership.value.uid,
      generation: membership.value.generation,
      index,
      head: known?.head == null ? null : { order: known.head.order, root: known.head.body.root },
      incarnation: known?.gateways.get(gateway)?.order.epoch ?? 0,
      epoch: Math.max(
        known?.head?.order.epoch ?? 0,
        book.store.speakers().find((s) => s.cluster === cluster)?.epoch ?? 0,
      ),
    },
  });
}

/** membershipOf answers who the key's holder is: a member, a new one by token, or nobody. */
function membershipOf(book: Book, login: Login): Result<Membership, { code: string; message: string }> {
  const { cluster, key, join } = login;
  const known = book.catalogue.members.get(cluster);
  if (known !== undefined && known.gone === null) return existing(known, login);
  if (join === null) {
    const why = known === undefined ? "is not a member" : `${known.gone === "left" ? "left" : "was evicted"}`;
    return err({
      code: known?.gone ?? "unknown-member",
      message: `${cluster} ${why}: join with a new token (meridian invite)`,
    });
  }
  const generation = (known?.body.generation ?? 0) + 1;
  const joinedAt = book.clock.now();
  const { uid } = login;
  return ok({
    uid,
    generation,
    redeem: true,
    member: book.authority.member({ cluster, uid, generation, key, joinedAt }),
  });
}

/** A live member's key is pinned; another key for the same name is another cluster (F40). Redeeming again with the
 *  same key, after a crash between the broker's commit and the gateway's disk, finds the membership it made. */
function existing(known: Member, { cluster, key }: Login): Result<Membership, { code: string; message: string }> {
  if (known.body.key === key) {
    return ok({ uid: known.body.uid, generation: known.body.generation, member: null, redeem: false });
  }
  const message = `the cluster id ${cluster} is taken by key ${fingerprintOf(known.body.key)}; this one is ${fingerprintOf(key)}. Choose another --cluster, or evict the other member first`;
  return err({ code: "duplicate-cluster", message });
}

function networksOf({ network }: Login): readonly { cidr: Cidr; what: string }[] {
  return [
    ...network.pods.map(({ cidr }) => ({ cidr, what: "a pod CIDR" })),
    ...network.services.map((cidr) => ({ cidr, what: "a service CIDR" })),
    ...network.routes,
  ];
}

interface Granted {
  readonly grants: readonly GrantEntry[];
  readonly allocations: readonly Allocation[];
  readonly index: number;
}

/** grantsFor lists what this gateway needs and does not have: global prefixes for its pods, node addresses, an index. */
function grantsFor(
  book: Book,
  supernets: readonly Cidr[],
  login: Login,
  { uid, generation }: Membership,
): Result<Granted, { code: string; message: string }> {
  const { cluster, gateway } = login;
  const now = book.clock.now();
  const who = { cluster, uid, generation };
  const held = book.catalogue.ledger.holding(cluster);
  const mine = held?.uid === uid && held.generation === generation ? held : undefined;
  const grants: GrantEntry[] = [];
  const allocations: Allocation[] = [];
  for (const { cidr: local, wanted } of login.network.pods) {
    const has = mine?.pods.find((grant) => grant.local === local);
    if (has !== undefined && (wanted === null || wanted === has.prefix)) continue;
    const proposed = book.ipam.proposePods({ cluster, uid, local, ...(wanted === null ? {} : { wanted }) }, now);
    if (!proposed.ok) return proposed;
    book.ipam.apply(proposed.value); // seen by the next proposal of this login; undone by reload if the disk refuses
    allocations.push(...proposed.value);
    for (const { prefix, kind, state } of proposed.value) {
      if (kind === "pods" && state === "live") grants.push({ kind: "pods", ...who, local, prefix });
    }
  }
  for (const supernet of supernets) {
    const family = familyOf(supernet);
    if (mine?.nodes.some((prefix) => familyOf(prefix) === family) === true) continue;
    const proposed = book.ipam.proposeNodes({ cluster, uid, family }, now);
    if (!proposed.ok) return proposed;
    allocations.push(...proposed.value);
    for (const { prefix, state } of proposed.value)
      if (state === "live") grants.push({ kind: "nodes", ...who, prefix });
  }
  const index = mine?.gateways.find((grant) => grant.name === gateway)?.index ?? freeIndex(mine?.gateways ?? []);
  if (index === undefined)
    return err({
      code: "no-index",
      message: `${cluster} has 8 gateways already: take one out with meridian leave --gateway`,
    });
  if (mine?.gateways.some((grant) => grant.name === gateway) !== true)
    grants.push({ kind: "gateway", ...who, name: gateway, index });
  return ok({ grants, allocations, index });
}

function freeIndex(taken: readonly { index: number }[]): number | undefined {
  const used = new Set(taken.map(({ index }) => index));
  return [0, 1, 2, 3, 4, 5, 6, 7].find((index) => !used.has(index));
}

function redemption(book: Book, { join, key, cluster }: Login, uid: Uid) {
  return {
    inviteId: join?.id ?? "",
    hash: secretHash(new Secret(join?.secret ?? "")),
    key,
    cluster,
    uid,
    now: book.clock.now(),
  };
}

function describe(isNew: boolean, grants: readonly GrantEntry[], remote: string): string {
  const given = grants.map((grant) => ("prefix" in grant ? `${grant.kind} ${grant.prefix}` : `${grant.kind}`));
  return `${isNew ? "joined" : "logged in"} from ${remote}${given.length > 0 ? `, granted ${given.join(", ")}` : ""}`;
}

function entry(book: Book, login: Login, outcome: "done" | "refused", detail: string) {
  return {
    time: book.clock.now(),
    actor: fingerprintOf(login.key),
    action: "login",
    subject: `${login.cluster}/${login.gateway}`,
    outcome,
    detail,
  };
}

function audit(book: Book, login: Login, outcome: "done" | "refused", detail: string): void {
  book.store.commit({ audit: [entry(book, login, outcome, detail)] });
}
