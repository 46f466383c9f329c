import type { Allocation } from "#ipam";
import type { AuditRow, Invite } from "#store";
import {
  type Cidr,
  type ClusterId,
  err,
  type Fingerprint,
  type IdentityKey,
  type Millis,
  millis,
  type NodeName,
  ok,
  type Revision,
  type Uid,
} from "#values";
import { type Envelope, unsealed } from "#wire";
import type { ClusterView, Desk, DeskChange, LatencyView } from "./desk.ts";

/** The token of every invite that FakeDesk makes: it may be in one answer and nowhere else. */
export const FAKE_TOKEN = "mrd1.fake-token-that-is-secret";
export const FAKE_HASH = "hash-of-the-secret-of-an-invite";

/** FakeDesk is a broker in memory: it keeps what was done, and can be told what to refuse. */
export class FakeDesk implements Desk {
  rev = 1 as Revision;
  readonly members = new Map<string, ClusterView>();
  reserved: Allocation[] = [];
  readonly made: Invite[] = [];
  readonly entries = new Map<string, { readonly envelope: Envelope; readonly revision: Revision }>();
  readonly gone: { readonly key: string; readonly revision: Revision }[] = [];
  readonly rows: AuditRow[] = [];
  readonly answers = new Map<string, { readonly hash: string; readonly status: number; readonly body: string }>();
  readonly listeners = new Set<(change: DeskChange) => void>();
  pairs: LatencyView[] = [];
  /** Set to make the next change fail as a full disk does. */
  full = false;
  /** The oldest revision that the log still reaches back to. */
  oldest = 0;

  revision(): Revision {
    return this.rev;
  }

  /** Resolves at once, unless a test holds it. */
  settled: () => Promise<void> = () => Promise.resolve();

  clusters(): readonly ClusterView[] {
    return [...this.members.values()];
  }

  evict(cluster: ClusterId, by: string) {
    const member = this.members.get(cluster);
    if (member === undefined) return err({ code: "unknown" as const, message: `no ${cluster}` });
    if (this.full) return err({ code: "unavailable" as const, message: "the disk is full" });
    this.members.set(cluster, { ...member, state: "evicted" });
    this.#audit(by, "evict", cluster, "done", "");
    return ok(
      this.write(
        [],
        [...this.entries.keys()].filter((key) => key.split("/")[1] === cluster),
      ),
    );
  }

  allocations(): readonly Allocation[] {
    return this.reserved;
  }

  whois(): undefined {
    return undefined; // the HTTP room asks for lists alone
  }

  reserve({ prefix, note }: { readonly prefix: Cidr; readonly note: string }, by: string) {
    const taken = this.reserved.some((of) => of.prefix === prefix);
    if (taken) return err({ code: "conflict" as const, message: `${prefix} is taken` });
    if (this.full) return err({ code: "unavailable" as const, message: "the disk is full" });
    const allocation = fakeAllocation(prefix, note);
    this.reserved = [...this.reserved, allocation].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
    this.#audit(by, "reserve", prefix, "done", note);
    this.write([], []);
    return ok(allocation);
  }

  invites(): readonly Invite[] {
    return this.made;
  }

  invite({ cluster, ttlMs, uses }: { cluster: ClusterId | null; ttlMs: number; uses: number }, by: string) {
    const id = `invite-${this.made.length + 1}`;
    const expiresAt = millis(NOW + ttlMs);
    const invite = { id, hash: FAKE_HASH, cluster, createdAt: NOW, expiresAt, uses, used: 0, revokedAt: null, by };
    this.made.push(invite);
    this.#audit(by, "invite", id, "done", "");
    return ok({ invite, token: FAKE_TOKEN });
  }

  revokeInvite(id: string, by: string) {
    const at = this.made.findIndex((invite) => invite.id === id);
    const invite = this.made[at];
    if (invite === undefined) return err({ code: "unknown" as const, message: `there is no invite ${id}` });
    this.made[at] = { ...invite, revokedAt: NOW };
    this.#audit(by, "revoke-invite", id, "done", "");
    return ok(this.rev);
  }

  records() {
    return this.entries.values();
  }

  changesSince(revision: Revision) {
    if (revision < this.oldest || revision > this.rev) return "too-old" as const;
    return {
      put: [...this.entries.values()].filter((of) => of.revision > revision),
      removed: this.gone.filter((of) => of.revision > revision).map(({ key }) => key),
    };
  }

  onChange(listener: (change: DeskChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  latency(): readonly LatencyView[] {
    return this.pairs;
  }

  audit(since: number, limit: number): readonly AuditRow[] {
    return this.rows.filter((row) => row.number > since).slice(0, limit);
  }

  refusedRequest(action: string, subject: string, detail: string, by: string): void {
    this.#audit(by, action, subject, "refused", detail);
  }

  idempotent(key: string, requestHash: string) {
    const known = this.answers.get(key);
    if (known === undefined) return null;
    return known.hash === requestHash ? { status: known.status, body: known.body } : ("other-request" as const);
  }

  remember(key: string, hash: string, status: number, body: string): void {
    this.answers.set(key, { hash, status, body });
  }

  /** write is one accepted transaction. */
  write(put: readonly Envelope[], removed: readonly string[]): Revision {
    this.rev = (this.rev + 1) as Revision;
    const revision = this.rev;
    for (const key of removed) {
      this.entries.delete(key);
      this.gone.push({ key, revision });
    }
    for (const envelope of put) {
      this.entries.delete(envelope.key);
      this.entries.set(envelope.key, { envelope, revision });
    }
    for (const listener of this.listeners) listener({ revision, put, removed });
    return revision;
  }

  #audit(actor: string, action: string, subject: string, outcome: "done" | "refused", detail: string): void {
    const number = this.rows.length + 1;
    this.rows.push({
      number,
      revision: this.rev,
      time: NOW,
      actor,
      action,
      subject,
      outcome,
      detail,
      hash: `h${number}`,
    });
  }
}

export const NOW: Millis = millis(Date.UTC(2026, 0, 2, 3, 4, 5));

export function fakeAllocation(prefix: Cidr, note: string | null = null): Allocation {
  const nobody = { cluster: null, uid: null, local: null, namespace: null, name: null, askedBy: null };
  return { prefix, kind: "reserved", ...nobody, note, state: "live", since: NOW };
}

export function fakeCluster(id: string): ClusterView {
  return {
    id: id as ClusterId,
    uid: "00000000-0000-4000-8000-000000000001" as Uid,
    generation: 1,
    key: "k".repeat(43) as IdentityKey,
    fingerprint: `sha256:${"0".repeat(64)}` as Fingerprint,
    state: "live",
    joinedAt: NOW,
    gateways: [
      {
        name: "gw-1" as NodeName,
        index: 0,
        address: null,
        connected: true,
        lastSeen: NOW,
        revision: null,
        version: "1",
      },
    ],
    prefixes: [{ kind: "pods", prefix: "242.1.0.0/16" as Cidr, local: "10.244.0.0/16" as Cidr }],
    exports: 2,
  };
}

export function fakeRecord(key: string, seq = 1): Envelope {
  return unsealed(key, { epoch: 1, seq }, { seq });
}

export function fakePair(from: string, to: string): LatencyView {
  const at = (cluster: string) => ({ cluster: cluster as ClusterId, gateway: "gw-1" as NodeName });
  return { from: at(from), to: at(to), up: true, rttSeconds: 0.012, jitterSeconds: null, lossRatio: 0, at: NOW };
}

/** aDesk has something of everything. */
export function aDesk(): FakeDesk {
  const desk = new FakeDesk();
  for (const id of ["birch", "amber", "cedar"]) desk.members.set(id, fakeCluster(id));
  desk.reserved = [fakeAllocation("242.1.0.0/16" as Cidr), fakeAllocation("242.2.0.0/16" as Cidr)];
  desk.invite({ cluster: null, ttlMs: 60_000, uses: 1 }, "admin");
  desk.write([fakeRecord("member/amber"), fakeRecord("head/amber")], []);
  desk.write([fakeRecord("export/amber/shop/web"), fakeRecord("grant/1"), fakeRecord("member/birch")], []);
  desk.pairs = [fakePair("birch", "amber"), fakePair("amber", "birch")];
  return desk;
}
