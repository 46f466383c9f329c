import type { z } from "zod";
import type { Allocation } from "#ipam";
import type { AuditRow, Invite } from "#store";
import type { Millis, Revision } from "#values";
import { type Envelope, parseKey } from "#wire";
import type { ClusterView, LatencyView } from "./desk.ts";
import type { allocation, auditRow, cluster, invite, latency, RECORD_KINDS, record } from "./schemas.ts";

/** What the desk shows, as the schemas say it. Every field is named here: a field that a value gains, such as the hash
 *  of an invite's secret, does not get into an answer by itself. */

function time(at: Millis): string {
  return new Date(at).toISOString();
}

function timeOrNull(at: Millis | null): string | null {
  return at === null ? null : time(at);
}

/** viewCluster shows a member and its gateways. */
export function viewCluster(of: ClusterView): z.output<typeof cluster> {
  const { id, uid, generation, key, fingerprint, state, joinedAt, gateways, prefixes, exports } = of;
  return {
    id,
    uid,
    generation,
    key,
    fingerprint,
    state,
    joinedAt: time(joinedAt),
    gateways: gateways.map(({ name, index, address, connected, lastSeen, revision, version }) => ({
      name,
      index,
      address,
      connected,
      lastSeen: timeOrNull(lastSeen),
      revision,
      version,
    })),
    prefixes: prefixes.map(({ kind, prefix, local }) => ({ kind, prefix, local })),
    exports,
  };
}

/** viewAllocation shows a prefix and whose it is. */
export function viewAllocation(of: Allocation): z.output<typeof allocation> {
  const { prefix, kind, cluster, uid, local, namespace, name, askedBy, note, state, since } = of;
  return { prefix, kind, cluster, uid, local, namespace, name, askedBy, note, state, since: time(since) };
}

/** viewInvite shows an invite as it is at a moment: whether it can still be used depends on that. */
export function viewInvite(of: Invite, now: Millis): z.output<typeof invite> {
  const { id, cluster, createdAt, expiresAt, uses, used, revokedAt, by } = of;
  return {
    id,
    cluster,
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
    uses,
    used,
    revokedAt: timeOrNull(revokedAt),
    by,
    state: inviteState(of, now),
  };
}

/** inviteState says why an invite cannot be used any more, the strongest reason first. */
export function inviteState(
  { revokedAt, used, uses, expiresAt }: Invite,
  now: Millis,
): z.output<typeof invite>["state"] {
  if (revokedAt !== null) return "revoked";
  if (used >= uses) return "used-up";
  return now >= expiresAt ? "expired" : "usable";
}

/** viewRecord shows a record as it was signed. Throws for a key that is none: the store holds only checked ones. */
export function viewRecord(envelope: Envelope, revision: Revision): z.output<typeof record> {
  const { key, order, body, signature } = envelope;
  const { kind, cluster } = ownerOf(key);
  return { key, kind, cluster, revision, order: { epoch: order.epoch, seq: order.seq }, body, signature };
}

/** ownerOf reads kind and cluster off a record's key, which was checked when it was stored. */
function ownerOf(key: string): { kind: (typeof RECORD_KINDS)[number]; cluster: string | null } {
  const parsed = parseKey(key);
  if (!parsed.ok) throw new Error(parsed.error);
  return { kind: parsed.value.kind, cluster: parsed.value.kind === "grant" ? null : parsed.value.cluster };
}

/** viewLatency shows one measured way. */
export function viewLatency({
  from,
  to,
  up,
  rttSeconds,
  jitterSeconds,
  lossRatio,
  at,
}: LatencyView): z.output<typeof latency> {
  return {
    from: { cluster: from.cluster, gateway: from.gateway },
    to: { cluster: to.cluster, gateway: to.gateway },
    up,
    rttSeconds,
    jitterSeconds,
    lossRatio,
    at: time(at),
  };
}

/** viewAudit shows one row of the chain, with the hash by which the row after it can be checked. */
export function viewAudit(row: AuditRow): z.output<typeof auditRow> {
  const { number, revision, actor, action, subject, outcome, detail, hash } = row;
  return { number, revision, time: time(row.time), actor, action, subject, outcome, detail, hash };
}
