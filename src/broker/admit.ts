import { fingerprintOf, secretHash, verifyProof } from "#identity";
import { supernetConflicts } from "#ipam";
import { type Log, Secret } from "#life";
import type { Guest, Refused } from "#sync";
import { type Cidr, err, ok, type Result } from "#values";
import type { Candidate, GrantEntry, Login, Welcome } from "#wire";
import type { Book } from "./book.ts";
import { type Entitlement, entitle } from "./entitlement.ts";
import { freeExpired } from "./housekeeping.ts";
import { type Membership, membershipOf } from "./membership.ts";
import type { Recovery } from "./recovery.ts";
import { type Refusals, strangerAt } from "./refusals.ts";

/** Admission is a gateway that was let in: what to tell it, and whether that made it (or its cluster) new. */
export interface Admission {
  readonly welcome: Omit<Welcome, "t" | "store" | "revision" | "supernets" | "allocationKey" | "seen">;
  readonly joined: boolean;
  /** False where it still lacks what it is entitled to, because this store may not know what was granted. */
  readonly entitled: boolean;
}

/** Written is an entitlement, or what stands for it while grants wait. */
type Written = Omit<Entitlement, "index"> & { readonly index: number | null };

export interface AdmitParts {
  readonly book: Book;
  readonly supernets: readonly Cidr[];
  readonly recovery: Pick<Recovery, "why" | "begin">;
  readonly log: Log;
  readonly refusals: Refusals;
  /** Guesses at tokens, counted apart from other refusals: they lock an address out of joining. */
  readonly guesses: Refusals;
  /** What speaks against a login of a member whose key is right: the other gateways that are connected. */
  readonly clash: (guest: Guest) => Refused | undefined;
}

/** admit decides on a login and grants what the gateway lacks: membership (once, by token), prefixes, an index.
 *  Everything happens in one transaction, so that a crash on either side leaves it joined once or not at all. */
export function admit(parts: AdmitParts, guest: Guest): Result<Admission, Refused> {
  const membership = judge(parts, guest);
  if (!membership.ok) return refuse(parts, guest, membership.error);
  // A member that our key has signed and this store does not know: the store was set back.
  if (membership.value.by === "record" && !parts.book.recovering) {
    parts.recovery.begin(`${guest.login.cluster} shows that it is a member`);
  }
  const later = parts.book.recovering || membership.value.by === "record";
  // What has rested long enough is free for a newcomer at once, not only when it is looked for next.
  if (membership.value.by === "token") freeExpired(parts.book, parts.log);
  const entitlement = later
    ? held(parts.book, guest)
    : entitle(parts.book, parts.supernets, guest.login, membership.value);
  const done = entitlement.ok ? write(parts, guest, membership.value, entitlement.value) : entitlement;
  if (!done.ok) {
    parts.book.ipam.load(parts.book.store.allocations()); // what was proposed on the way
    return refuse(parts, guest, { retry: done.error.code === "disk-full", ...done.error });
  }
  const { index } = done.value;
  return ok({
    joined: membership.value.by !== "known",
    entitled: !later,
    welcome: welcomeOf(parts.book, guest, membership.value, index),
  });
}

/** What a gateway has, and nothing more. */
function held(book: Book, { login }: Guest): Result<Written, never> {
  const mine = book.catalogue.ledger.holding(login.cluster)?.gateways.find(({ name }) => name === login.gateway);
  return ok({ grants: [], allocations: [], index: mine?.index ?? null });
}

/** judge looks at everything that can be wrong before anything is proposed. The proof comes first: whoever cannot show
 *  a key learns nothing about the one that can. */
function judge(parts: AdmitParts, guest: Guest): Result<Membership, Refused> {
  const { book, supernets, guesses, clash } = parts;
  const { login, binding, link } = guest;
  const { cluster, uid, gateway } = login;
  const no = (code: string, message: string, retry = false) => err({ code, message, retry });
  if (!verifyProof(login.key, { ...binding, cluster, uid, gateway }, login.proof)) {
    return no("bad-proof", "the login is not signed by the key that it names, for this connection");
  }
  const membership = membershipOf(book, login);
  if (!membership.ok) return err({ retry: false, ...membership.error });
  if (membership.value.by === "token" && parts.book.recovering) return no("recovering", parts.recovery.why(), true);
  if (membership.value.by === "token" && guesses.isSpent(strangerAt(link.remote))) {
    return no("locked-out", "too many unknown join tokens came from this address: wait a minute", true);
  }
  const conflict = supernetConflicts(supernets, networksOf(login))[0];
  if (conflict !== undefined) {
    const { supernet, cidr, what } = conflict;
    return no("overlap", `the clusterset's supernet ${supernet} overlaps ${cidr}, ${what} of ${cluster}`);
  }
  const clashing = clash(guest);
  return clashing === undefined ? membership : err(clashing);
}

function networksOf({ network }: Login): readonly { cidr: Cidr; what: string }[] {
  return [
    ...network.pods.map(({ cidr }) => ({ cidr, what: "a pod CIDR" })),
    ...network.services.map((cidr) => ({ cidr, what: "a service CIDR" })),
    ...network.routes,
  ];
}

/** write makes it so, where there is anything to make. */
function write(
  { book }: AdmitParts,
  { login, link }: Guest,
  { member, uid, by, lost }: Membership,
  entitlement: Written,
): Result<Written, { readonly code: string; readonly message: string }> {
  const { grants, allocations } = entitlement;
  if (lost !== undefined) return learnMember(book, { login, link }, lost, entitlement);
  if (member === null && grants.length === 0) return ok(entitlement);
  const detail = describe(member !== null, grants, link.remote);
  const committed = book.write({
    records: member === null ? [] : [member],
    grants,
    allocations,
    ...(by !== "token" ? {} : { redeem: redemption(book, login, uid) }),
    audit: [{ time: book.clock.now(), ...subjectOf(login), outcome: "done", detail }],
  });
  return committed.ok ? ok(entitlement) : committed;
}

/** A member that this store has lost is one again by what it shows; the ends of its earlier memberships go first. */
function learnMember(
  book: Book,
  { login, link }: Pick<Guest, "login" | "link">,
  lost: readonly Candidate[],
  entitlement: Written,
): Result<Written, { readonly code: string; readonly message: string; readonly retry?: boolean }> {
  const detail = `a member that was lost here, from ${link.remote}`;
  const line = { time: book.clock.now(), ...subjectOf(login), outcome: "done" as const, detail };
  const learned = book.learn(lost, [line]);
  if (!learned.ok) return learned;
  const fault = learned.value.refusals[0];
  if (fault === undefined) return ok(entitlement);
  // Another member may tell the end of the membership that is known here.
  return err({ code: "recovering", message: `its membership is not believed yet: ${fault.message}`, retry: true });
}

function redemption(book: Book, { join, key, cluster }: Login, uid: Membership["uid"]) {
  const hash = secretHash(new Secret(join?.secret ?? ""));
  return { inviteId: join?.id ?? "", hash, key, cluster, uid, now: book.clock.now() };
}

function welcomeOf(
  book: Book,
  { login: { cluster, gateway } }: Guest,
  { uid, generation }: Membership,
  index: number | null,
): Admission["welcome"] {
  const known = book.catalogue.members.get(cluster);
  const head = known?.head ?? null;
  return {
    uid,
    generation,
    index,
    head: head === null ? null : { order: head.order, root: head.body.root },
    incarnation: known?.gateways.get(gateway)?.order.epoch ?? 0,
    digest: book.catalogue.chronicle.root(),
    epoch: Math.max(head?.order.epoch ?? 0, book.speakerOf(cluster)?.epoch ?? 0),
  };
}

function describe(isNew: boolean, grants: readonly GrantEntry[], remote: string): string {
  const given = grants.map((grant) => ("prefix" in grant ? `${grant.kind} ${grant.prefix}` : `${grant.kind}`));
  return `${isNew ? "joined" : "logged in"} from ${remote}${given.length > 0 ? `, granted ${given.join(", ")}` : ""}`;
}

function subjectOf({ key, cluster, gateway }: Login) {
  return { actor: fingerprintOf(key), action: "login", subject: `${cluster}/${gateway}` };
}

/** A refused login is on the audit log, within the rate of where it came from. */
function refuse({ refusals, guesses }: AdmitParts, { login, link }: Guest, refused: Refused): Result<never, Refused> {
  const { code, message } = refused;
  const from = strangerAt(link.remote);
  const detail = `${code}: ${message}, from ${link.remote}`;
  const book = code === "token-unknown" ? guesses : refusals;
  book.note(from, { ...subjectOf(login), detail });
  return err(refused);
}
