import type { Allocation } from "#ipam";
import { type Cidr, type ClusterId, type IdentityKey, millis, expect as must, type Revision, type Uid } from "#values";
import type { Invite } from "./invite.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Redemption } from "./redeem.ts";
import type { AuditEntry, Change, Store } from "./store.ts";
import { NOW, openStore, temporaryFolder } from "./testbed.ts";

/** What the contract of a store is tried with: both kinds of stores, and values of each type that it keeps. */

export const KINDS = ["sqlite", "memory"] as const;

/** Trial is one store that is empty at first and gone at the end of its block. */
export interface Trial extends Disposable {
  readonly store: Store;
  /** Commits, and fails the test where that is refused. */
  done(change: Change): Revision;
  /** Commits, and gives `done` or the code of the refusal. */
  codeOf(change: Change): string;
}

export function trial(kind: (typeof KINDS)[number]): Trial {
  const folder = temporaryFolder();
  const store = kind === "sqlite" ? must(openStore(folder.path)) : new MemoryStore();
  return {
    store,
    done(change) {
      const result = store.commit(change);
      if (!result.ok) throw new Error(result.error.code);
      return result.value;
    },
    codeOf(change) {
      const result = store.commit(change);
      return result.ok ? "done" : result.error.code;
    },
    [Symbol.dispose]() {
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

/** allocation is a pod prefix of c1, but for the change. */
export function allocation(prefix: string, change: Partial<Allocation> = {}): Allocation {
  return {
    prefix: prefix as Cidr,
    kind: "pods",
    cluster: "c1" as ClusterId,
    uid: "u1" as Uid,
    local: "10.0.0.0/16" as Cidr,
    namespace: null,
    name: null,
    askedBy: null,
    note: null,
    state: "live",
    since: NOW,
    ...change,
  };
}

/** invite is a fresh one for anybody, for a quarter of an hour and one use, but for the change. */
export function invite(change: Partial<Invite> = {}): Invite {
  const expiresAt = millis(NOW + 900_000);
  const fresh = { cluster: null, createdAt: NOW, expiresAt, uses: 1, used: 0, revokedAt: null, by: "admin" };
  return { id: "i1", hash: "H".repeat(43), ...fresh, ...change };
}

/** redemption is one of that invite by c1, but for the change. */
export function redemption(change: Partial<Redemption> = {}): Redemption {
  const ask = { inviteId: "i1", hash: "H".repeat(43), key: "K1" as IdentityKey };
  return { ...ask, cluster: "c1" as ClusterId, uid: "u1" as Uid, now: NOW, ...change };
}

export const entry = (subject: string): AuditEntry => ({
  time: NOW,
  actor: "admin",
  action: "invite",
  subject,
  outcome: "done",
  detail: "",
});
