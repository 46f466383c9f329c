import { fingerprintOf } from "#identity";
import { err, ok, type Result, type Uid } from "#values";
import { type Candidate, type Envelope, examine, type Login, type Member } from "#wire";
import type { Book } from "./book.ts";
import { endOf } from "./dismiss.ts";

/** Membership is what a login is let in as. */
export interface Membership {
  readonly uid: Uid;
  readonly generation: number;
  /** The record that makes it a member; null where there is nothing to write, or it is among what was lost. */
  readonly member: Envelope | null;
  /** How it became one: `known` before, by a `token` now, or by the `record` of a member that this store has lost. */
  readonly by: "known" | "token" | "record";
  /** What this store has lost of it. */
  readonly lost?: readonly Candidate[];
}

interface Fault {
  readonly code: string;
  readonly message: string;
  /** For one that is no member any more: what proves it. */
  readonly record?: Envelope | null;
}

/** membershipOf answers who the key's holder is: a member, a new one by token, or nobody. The login's proof was
 *  checked before; the token is when it is redeemed. */
export function membershipOf(book: Book, login: Login): Result<Membership, Fault> {
  const { cluster, uid, key, join } = login;
  const known = book.catalogue.members.get(cluster);
  const lost = lostMember(book, login);
  if (lost !== undefined) return ok(lost);
  if (known?.gone === null) return existing(known, login);
  if (join === null) {
    const code = known?.gone ?? "unknown-member";
    const why = { left: "left", evicted: "was evicted", "unknown-member": "is not a member" }[code];
    const message = `${cluster} ${why}: join with a new token (meridian invite)`;
    // Only the one that was put out is told by the record; a stranger with its name is told no more than anybody.
    const record = known?.body.key === key ? endOf(book, known) : null;
    return err({ code, message, record });
  }
  // what this key made of this token has ended: it must not be redeemed again, as after a crash it may
  if (book.store.findRedemption(join.id, key) !== null) {
    return err({ code: "token-used", message: "the join token was used already: join with a new one" });
  }
  const taken = uidFault(book, login);
  if (taken !== undefined) return err(taken);
  const generation = (known?.body.generation ?? 0) + 1;
  const joinedAt = book.clock.now();
  return ok({
    uid,
    generation,
    member: book.authority.member({ cluster, uid, generation, key, joinedAt }),
    by: "token",
  });
}

/** A restored store may not know a member that joined after the backup: it is one by the record that our own key
 *  signed, and by the key in it, which the login's proof shows. Its end is learned like anybody's. */
function lostMember(book: Book, { cluster, uid, key, membership }: Login): Membership | undefined {
  const shown = (membership ?? []).flatMap((envelope) => {
    const candidate = examine(envelope, book.authority.verifier);
    return candidate.ok ? [candidate.value] : [];
  });
  const lost = shown.filter(({ kind, body }) => isOf(kind) && (body as { cluster?: string }).cluster === cluster);
  const member = lost.find(({ kind }) => kind === "member");
  if (member?.kind !== "member" || member.body.uid !== uid || member.body.key !== key) return undefined;
  const { generation } = member.body;
  const known = book.catalogue.members.get(cluster)?.body.generation ?? 0;
  return generation > known ? { uid, generation, member: null, by: "record", lost } : undefined;
}

function isOf(kind: Candidate["kind"]): boolean {
  return kind === "member" || kind === "leave" || kind === "eviction";
}

/** A live member's key is pinned; another key for the same name is another cluster (F40). Joining again with the same
 *  key, after a crash between the broker's commit and the gateway's disk, finds the membership that was made. */
function existing({ body }: Member, { cluster, key, uid }: Login): Result<Membership, Fault> {
  if (body.key !== key) {
    const keys = `key ${fingerprintOf(body.key)}; this one is ${fingerprintOf(key)}`;
    const remedy = "Choose another --cluster, or evict the other member first";
    return err({ code: "duplicate-cluster", message: `the cluster id ${cluster} is taken by ${keys}. ${remedy}` });
  }
  return body.uid === uid
    ? ok({ uid, generation: body.generation, member: null, by: "known" })
    : err({ code: "other-uid", message: `${cluster} is a member as ${body.uid}, not as ${uid}` });
}

/** A uid brings prefixes with it, out of quarantine too: only the key that had it may have it again. */
function uidFault(book: Book, { uid, key }: Login): Fault | undefined {
  const before = [...book.catalogue.members.values()].filter(({ body }) => body.uid === uid);
  const free = before.length === 0 && !book.ipam.list().some((allocation) => allocation.uid === uid);
  if (free || (before.length > 0 && before.every(({ body, gone }) => gone !== null && body.key === key)))
    return undefined;
  const owner = before[0] === undefined ? "an earlier member" : `${before[0].cluster}`;
  return {
    code: "uid-taken",
    message: `the uid ${uid} is that of ${owner}, which has another key: join with a fresh one`,
  };
}
