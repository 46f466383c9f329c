import type { ClusterView, Desk, DeskFault, LatencyView } from "#admin";
import { fingerprintOf, mintToken } from "#identity";
import type { Log } from "#life";
import type { Invite, StoreFault } from "#store";
import { type ClusterId, err, type Fingerprint, type Millis, millis, ok, type Result, swapPrefix } from "#values";
import type { Member } from "#wire";
import type { Book } from "./book.ts";
import { evict } from "./depart.ts";
import type { Hub } from "./hub.ts";
import { dismiss } from "./sessions.ts";

export interface DeskParts {
  readonly book: Book;
  readonly hub: Hub;
  /** What join tokens carry. */
  readonly url: string;
  readonly fingerprint: Fingerprint;
  readonly log: Log;
}

const IDEMPOTENT_MS = 24 * 3_600_000;

/** createDesk shows the broker to its operators. */
export function createDesk(parts: DeskParts): Desk {
  const { book, hub, url, fingerprint } = parts;
  const now = (): Millis => book.clock.now();
  const entry = (action: string, subject: string, detail: string, by: string) => ({
    time: now(),
    actor: by,
    action,
    subject,
    outcome: "done" as const,
    detail,
  });
  return {
    revision: () => book.store.revision(),
    clusters: () => [...book.catalogue.members.values()].map((member) => clusterView(parts, member)),
    evict: (cluster, by) => {
      const done = evict(book, cluster, by);
      if (!done.ok)
        return err({ code: done.error.code === "unknown" ? "unknown" : "unavailable", message: done.error.message });
      dismiss(hub, cluster, {
        code: "evicted",
        message: `${cluster} was evicted: join with a new token`,
        retry: false,
      });
      return done;
    },
    allocations: () => book.ipam.list(),
    whois: (address) => {
      const allocation = book.ipam.whois(address);
      if (allocation === undefined) return undefined;
      const { prefix, local } = allocation;
      return { allocation, local: local === null ? null : swapPrefix(address, prefix, local) };
    },
    reserve: (ask, by) => {
      const proposed = book.ipam.proposeReserve(ask, now());
      if (!proposed.ok)
        return err({
          code: proposed.error.code === "overlap" ? "conflict" : "invalid",
          message: proposed.error.message,
        });
      const grants = proposed.value.map(({ prefix }) => ({ kind: "reserved" as const, prefix }));
      const committed = book.write({
        allocations: proposed.value,
        grants,
        audit: [entry("reserve", ask.prefix, ask.note, by)],
      });
      if (!committed.ok) return unavailable(committed.error);
      const [allocation] = proposed.value;
      return allocation === undefined ? err({ code: "unavailable", message: "nothing was reserved" }) : ok(allocation);
    },
    invites: () => book.store.invites(),
    invite: ({ cluster, ttlMs, uses }, by) => {
      const { token, id, hash } = mintToken({ url, fingerprint });
      const invite: Invite = {
        id,
        hash,
        cluster,
        createdAt: now(),
        expiresAt: millis(now() + ttlMs),
        uses,
        used: 0,
        revokedAt: null,
        by,
      };
      const committed = book.store.commit({
        invites: { put: [invite] },
        audit: [entry("invite", id, `uses ${uses}, cluster ${cluster ?? "any"}`, by)],
      });
      return committed.ok ? ok({ invite, token: token.reveal() }) : unavailable(committed.error);
    },
    revokeInvite: (id, by) => {
      if (!book.store.invites().some((invite) => invite.id === id))
        return err({ code: "unknown", message: `there is no invite ${id}` });
      const committed = book.store.commit({
        invites: { revoke: [{ id, at: now() }] },
        audit: [entry("revoke-invite", id, "", by)],
      });
      return committed.ok ? committed : unavailable(committed.error);
    },
    records: () => book.entries.values(),
    changesSince: (revision) => book.store.changesSince(revision),
    onChange: (listener) => book.onCommit(listener),
    latency: () =>
      hub.readers().flatMap((reader): LatencyView[] =>
        reader.latency.map(({ cluster, gateway, ...rest }) => ({
          from: { cluster: reader.cluster, gateway: reader.gateway },
          to: { cluster, gateway },
          ...rest,
          at: reader.lastSeen,
        })),
      ),
    audit: (since, limit) => book.store.audit(since, limit),
    refusedRequest: (action, subject, detail, by) => {
      book.store.commit({ audit: [{ ...entry(action, subject, detail, by), outcome: "refused" }] });
    },
    idempotent: (key, requestHash) => {
      const known = book.store.idempotent(key, now());
      if (known === null) return null;
      return known.requestHash === requestHash ? { status: known.status, body: known.body } : "other-request";
    },
    remember: (key, requestHash, status, body) => {
      book.store.commit({ idempotency: { key, requestHash, status, body, expiresAt: millis(now() + IDEMPOTENT_MS) } });
    },
  };
}

function unavailable(fault: StoreFault): Result<never, DeskFault> {
  return err({ code: "unavailable", message: `the store refused: ${fault.message}` });
}

function clusterView({ book, hub }: DeskParts, member: Member): ClusterView {
  const { uid, generation, key, joinedAt } = member.body;
  const holding = book.catalogue.ledger.holding(member.cluster);
  return {
    id: member.cluster,
    uid,
    generation,
    key,
    fingerprint: fingerprintOf(key),
    state: member.gone ?? "live",
    joinedAt: millis(joinedAt),
    gateways: (holding?.gateways ?? []).map(({ name, index }) => {
      const reader = hub.find(member.cluster as ClusterId, name);
      return {
        name,
        index,
        address: reader?.link.remote ?? null,
        connected: reader !== undefined,
        lastSeen: reader?.lastSeen ?? null,
        revision: reader?.held ?? null,
        version: reader?.link.version ?? null,
      };
    }),
    prefixes: [
      ...(holding?.pods ?? []).map(({ prefix, local }) => ({ kind: "pods" as const, prefix, local })),
      ...(holding?.nodes ?? []).map((prefix) => ({ kind: "nodes" as const, prefix, local: null })),
    ],
    exports: member.exports.size,
  };
}
