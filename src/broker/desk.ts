import type { Desk } from "#admin";
import { err, type Fingerprint, millis, ok, swapPrefix } from "#values";
import { auditLine, unavailable } from "./audit-line.ts";
import type { Book } from "./book.ts";
import { clusterView, latencyViews } from "./cluster-view.ts";
import { evict } from "./depart.ts";
import { dismissGone } from "./dismiss.ts";
import type { Hub } from "./hub.ts";
import { invite, revokeInvite } from "./invites.ts";
import type { Recovery } from "./recovery.ts";

export interface DeskParts {
  readonly book: Book;
  readonly hub: Hub;
  readonly recovery: Recovery;
  /** What join tokens carry. */
  readonly url: string;
  readonly fingerprint: Fingerprint;
}

const IDEMPOTENT_MS = 24 * 3_600_000;

/** createDesk shows the broker to its operators, and does what they ask. */
export function createDesk(parts: DeskParts): Desk {
  return { ...reading(parts), ...changing(parts), ...answering(parts), settled: () => parts.book.settled() };
}

type Reading = "revision" | "clusters" | "allocations" | "whois" | "invites" | "records" | "latency" | "audit";

function reading({ book, hub }: DeskParts): Pick<Desk, Reading | "changesSince" | "onChange"> {
  return {
    revision: () => book.store.revision(),
    clusters: () => [...book.catalogue.members.values()].map((member) => clusterView(book, hub, member)),
    allocations: () => book.ipam.list(),
    whois: (address) => {
      const allocation = book.ipam.whois(address);
      if (allocation === undefined) return undefined;
      const { prefix, local } = allocation;
      return { allocation, local: local === null ? null : swapPrefix(address, prefix, local) };
    },
    invites: () => book.store.invites(),
    records: () => book.entries.values(),
    changesSince: (revision) => book.store.changesSince(revision),
    onChange: (listener) => book.onCommit(listener),
    latency: () => latencyViews(hub),
    audit: (since, limit) => book.store.audit(since, limit),
  };
}

function changing(parts: DeskParts): Pick<Desk, "evict" | "reserve" | "invite" | "revokeInvite"> {
  const { book, hub } = parts;
  return {
    evict: (cluster, by) => {
      const done = evict(book, cluster, by);
      if (!done.ok) {
        const code = done.error.code === "unknown" ? "unknown" : "unavailable";
        return err({ code, message: done.error.message });
      }
      dismissGone(hub, book, cluster);
      parts.recovery.check();
      return done;
    },
    reserve: (ask, by) => reserve(parts, ask, by),
    invite: (ask, by) => invite(parts, ask, by),
    revokeInvite: (id, by) => revokeInvite(book, id, by),
  };
}

/** What makes a retry of a request safe, and what stays of one that was refused. */
function answering({ book }: DeskParts): Pick<Desk, "refusedRequest" | "idempotent" | "remember"> {
  return {
    refusedRequest: (action, subject, detail, by) => {
      book.commit({ audit: [{ ...auditLine(book, { action, subject, detail, by }), outcome: "refused" }] });
    },
    idempotent: (key, requestHash) => {
      const known = book.store.idempotent(key, book.clock.now());
      if (known === null) return null;
      return known.requestHash === requestHash ? { status: known.status, body: known.body } : "other-request";
    },
    remember: (key, requestHash, status, body) => {
      const expiresAt = millis(book.clock.now() + IDEMPOTENT_MS);
      book.commit({ idempotency: { key, requestHash, status, body, expiresAt } });
    },
  };
}

/** A prefix that is reserved already only gets its new note: everybody knows that it is taken. */
function reserve(parts: DeskParts, ask: Parameters<Desk["reserve"]>[0], by: string): ReturnType<Desk["reserve"]> {
  const { book } = parts;
  if (parts.recovery.active) return err({ code: "conflict", message: parts.recovery.why() });
  const known = book.ipam.list().some(({ prefix, state }) => prefix === ask.prefix && state === "live");
  const proposed = book.ipam.proposeReserve(ask, book.clock.now());
  if (!proposed.ok) {
    const code = proposed.error.code === "overlap" ? "conflict" : "invalid";
    return err({ code, message: proposed.error.message });
  }
  const [allocation] = proposed.value;
  const committed = book.write({
    allocations: proposed.value,
    grants: known ? [] : [{ kind: "reserved", prefix: ask.prefix }],
    audit: [auditLine(book, { action: "reserve", subject: ask.prefix, detail: ask.note, by })],
  });
  if (!committed.ok) return unavailable(committed.error);
  return allocation === undefined ? err({ code: "unavailable", message: "nothing was reserved" }) : ok(allocation);
}
