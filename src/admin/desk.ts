import type { Allocation } from "#ipam";
import type { AuditRow, Invite } from "#store";
import type { Cidr, ClusterId, Fingerprint, IdentityKey, Ip, Millis, NodeName, Result, Revision, Uid } from "#values";
import type { Envelope } from "#wire";

/** Desk is what the broker lets its operators see and do: the HTTP room knows the broker by this port alone. */
export interface Desk {
  revision(): Revision;
  /** settled resolves when all that was done up to now is on the disk: no answer tells of it before. */
  settled(): Promise<void>;
  clusters(): readonly ClusterView[];
  evict(cluster: ClusterId, by: string): Result<Revision, DeskFault>;
  allocations(): readonly Allocation[];
  /** The allocation that an address lies in, and for a pod its own address. */
  whois(address: Ip): { readonly allocation: Allocation; readonly local: Ip | null } | undefined;
  reserve(ask: { readonly prefix: Cidr; readonly note: string }, by: string): Result<Allocation, DeskFault>;
  invites(): readonly Invite[];
  /** The token is shown once, here; the store keeps a hash. */
  invite(ask: InviteAsk, by: string): Result<{ readonly invite: Invite; readonly token: string }, DeskFault>;
  revokeInvite(id: string, by: string): Result<Revision, DeskFault>;
  records(): Iterable<{ readonly envelope: Envelope; readonly revision: Revision }>;
  changesSince(revision: Revision):
    | {
        readonly put: readonly { readonly envelope: Envelope; readonly revision: Revision }[];
        readonly removed: readonly string[];
      }
    | "too-old";
  /** onChange hears of each revision; the result ends it. */
  onChange(listener: (change: DeskChange) => void): () => void;
  latency(): readonly LatencyView[];
  audit(since: number, limit: number): readonly AuditRow[];
  /** refusedRequest writes the audit line of a request that was refused before it came here. */
  refusedRequest(action: string, subject: string, detail: string, by: string): void;
  idempotent(
    key: string,
    requestHash: string,
  ): { readonly status: number; readonly body: string } | "other-request" | null;
  remember(key: string, requestHash: string, status: number, body: string): void;
}

export interface DeskChange {
  readonly revision: Revision;
  readonly put: readonly Envelope[];
  readonly removed: readonly string[];
}

export interface InviteAsk {
  readonly cluster: ClusterId | null;
  readonly ttlMs: number;
  readonly uses: number;
}

export interface DeskFault {
  readonly code: "unknown" | "conflict" | "exhausted" | "invalid" | "unavailable";
  readonly message: string;
}

export interface ClusterView {
  readonly id: ClusterId;
  readonly uid: Uid;
  readonly generation: number;
  readonly key: IdentityKey;
  readonly fingerprint: Fingerprint;
  readonly state: "live" | "left" | "evicted";
  readonly joinedAt: Millis;
  readonly gateways: readonly {
    readonly name: NodeName;
    readonly index: number;
    readonly address: Ip | null;
    readonly connected: boolean;
    readonly lastSeen: Millis | null;
    /** Revision that this gateway holds, as it last said. */
    readonly revision: Revision | null;
    readonly version: string | null;
  }[];
  readonly prefixes: readonly { readonly kind: "pods" | "nodes"; readonly prefix: Cidr; readonly local: Cidr | null }[];
  readonly exports: number;
}

export interface LatencyView {
  readonly from: { readonly cluster: ClusterId; readonly gateway: NodeName };
  readonly to: { readonly cluster: ClusterId; readonly gateway: NodeName };
  readonly up: boolean;
  readonly rttSeconds: number | null;
  readonly jitterSeconds: number | null;
  readonly lossRatio: number;
  readonly at: Millis;
}
