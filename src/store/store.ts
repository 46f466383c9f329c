import type { Allocation } from "#ipam";
import type { Cidr, ClusterId, IdentityKey, Millis, NodeName, Result, Revision, Uid } from "#values";
import type { Envelope } from "#wire";
import type { Invite } from "./invite.ts";
import type { RedeemCode, Redemption } from "./redeem.ts";

/** StoredRecord is a record and the revision at which it came to be what it is. */
export interface StoredRecord {
  readonly envelope: Envelope;
  readonly revision: Revision;
}

/** Speaker says which gateway of a member signs its exports, and under which epoch; null when it was given back. */
export interface Speaker {
  readonly cluster: ClusterId;
  readonly epoch: number;
  readonly gateway: NodeName | null;
}

/** AuditEntry is one thing that somebody did or was refused. It holds no secret. */
export interface AuditEntry {
  readonly time: Millis;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: "done" | "refused";
  readonly detail: string;
}

/** AuditRow is an entry in the chain: `hash` is over the hash before it and everything else in the row. */
export interface AuditRow extends AuditEntry {
  /** From 1, without gaps. */
  readonly number: number;
  /** The store's revision when it was written. */
  readonly revision: Revision;
  readonly hash: string;
}

/** Answer is what was answered to a request that carried an idempotency key. It is kept in clear: an answer that
 *  holds a secret must not be given to the store. */
export interface Answer {
  readonly key: string;
  /** Of the request, so that a key used for another request can be refused. */
  readonly requestHash: string;
  readonly status: number;
  readonly body: string;
  readonly expiresAt: Millis;
}

/** Change is one atomic, durable transaction. It spends one revision when it puts or removes records or allocations. */
export interface Change {
  readonly put?: readonly Envelope[];
  /** Keys of records; one that is not there is left out in silence. */
  readonly remove?: readonly string[];
  readonly allocations?: { readonly put: readonly Allocation[]; readonly forget: readonly Cidr[] };
  readonly speakers?: readonly Speaker[];
  /** Conditional: where it does not hold, nothing of the change is done. */
  readonly redeem?: Redemption;
  readonly invites?: {
    readonly put?: readonly Invite[];
    readonly revoke?: readonly { readonly id: string; readonly at: Millis }[];
  };
  readonly audit?: readonly AuditEntry[];
  readonly idempotency?: Answer;
  /** Small settings by name; null removes one. */
  readonly meta?: Readonly<Record<string, string | null>>;
  /** The store becomes a new one, as a restored one does, of a generation above one that members have seen: they have
   *  proven that it was set back. */
  readonly renew?: { readonly above: number };
  /** The store gets a new id and is the same otherwise: no cursor of before counts any more. */
  readonly newId?: true;
}

/** StoreFault is why a change was not made.
 *  - `disk-full`: no space, or the file system is read-only; later writes work again when that ends
 *  - `io`: the disk failed. What the kernel holds of the file can no longer be trusted, so the store refuses every
 *    later write and the process must end
 *  - the others: the token was refused */
export interface StoreFault {
  readonly code: "disk-full" | "io" | RedeemCode;
  readonly message: string;
}

/** Changes since a revision, coalesced: each key once, in its newest state. `through` is the revision up to which
 *  they are complete: the cursor to go on from. */
export interface Changes {
  readonly put: readonly StoredRecord[];
  readonly removed: readonly string[];
  readonly through: Revision;
}

/** Store is the broker's durable log. What commit() has taken is seen by every read, and there after a crash of this
 *  process; when whenDurable() says so, after one of the machine too. Before that nobody may be told of it. What is not
 *  there whole is not there at all. Reads throw when what they find was damaged after the store was opened. */
export interface Store {
  /** A UUID, made with the store. A restored copy is a new store: it gets a new one. */
  readonly id: string;
  /** Rises with each restore. */
  readonly generation: number;
  revision(): Revision;
  commit(change: Change): Result<Revision, StoreFault>;
  /** whenDurable calls back when everything committed up to now is on the disk: in the order of the calls, at once where
   *  nothing is on its way there, and never once the disk has failed. */
  whenDurable(done: () => void): void;
  /** Resolves when the disk has failed for good: what was committed last may not be on it. */
  readonly failed: Promise<StoreFault>;
  /** By key; may be read slowly while others commit, and then shows each key as it is when it is reached. */
  records(): Iterable<StoredRecord>;
  record(key: string): StoredRecord | null;
  allocations(): readonly Allocation[];
  speakers(): readonly Speaker[];
  invites(): readonly Invite[];
  findRedemption(inviteId: string, key: IdentityKey): { readonly cluster: ClusterId; readonly uid: Uid } | null;
  /** Rows with a number above `since`, the oldest first. */
  audit(since: number, limit: number): readonly AuditRow[];
  /** Number of the newest row: how many were ever written. */
  auditRows(): number;
  /** verifyAudit walks the whole chain and gives the number of its last row, or says which row is wrong. */
  verifyAudit(): Result<number>;
  idempotent(key: string, now: Millis): Answer | null;
  meta(key: string): string | null;
  /** `too-old`: the store no longer knows what was removed since, or never had that revision. With a limit, at most
   *  about so many records, and never a part of a revision. */
  changesSince(revision: Revision, limit?: number): Changes | "too-old";
  /** backup writes a copy, and some files by their names, to one file of mode 0600 while the store works. Opened as a
   *  store, the copy is a new one. */
  backup(path: string, files?: Readonly<Record<string, string>>): Promise<Result<void>>;
  close(): void;
}

/** Name under which a restored store keeps the id of the one that it was copied from. */
export const RESTORED_FROM = "restored-from";
/** Setting that stands while a restored store may lack what was granted after its backup. */
export const RECOVERING = "recovering";
