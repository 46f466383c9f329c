import { type ClusterId, err, type NodeName, ok, type Result, type Revision, type Uid } from "#values";
import { type Envelope, examine, type GrantEntry } from "#wire";
import type { Book } from "./book.ts";

export interface DepartFault {
  readonly code: string;
  readonly message: string;
}

/** leave takes a member's own signed leave: its records go, its prefixes rest in quarantine, its key is no member's
 *  any more. The leave itself stays, so that nothing old can bring the member back. */
export function leave(book: Book, cluster: ClusterId, record: Envelope): Result<Revision, DepartFault> {
  if (record.key !== `leave/${cluster}`)
    return err({ code: "not-owner", message: `${record.key} is not ${cluster}'s to sign` });
  const candidate = examine(record, book.authority.verifier);
  if (!candidate.ok) return err({ code: "invalid", message: candidate.error });
  const member = book.catalogue.members.get(cluster);
  const rest = member === undefined ? NOTHING : restOf(book, cluster, member.body.uid);
  const applied = book.catalogue.apply([candidate.value]);
  const fault = applied.refusals[0];
  if (fault !== undefined) return err({ code: fault.code, message: fault.message });
  const done = {
    time: book.clock.now(),
    actor: `cluster ${cluster}`,
    action: "leave",
    subject: cluster,
    outcome: "done" as const,
    detail: "signed by the member",
  };
  const committed = book.accept(applied, { ...rest, audit: [done] });
  return committed.ok ? committed : err({ code: "unavailable", message: committed.error.message });
}

/** evict puts a member out by the broker's own signature. */
export function evict(book: Book, cluster: ClusterId, by: string): Result<Revision, DepartFault> {
  const member = book.catalogue.members.get(cluster);
  if (member === undefined || member.gone !== null) {
    return err({
      code: "unknown",
      message: `${cluster} is not a member${member === undefined ? "" : ` any more: it ${member.gone === "left" ? "left" : "was evicted"}`}`,
    });
  }
  const { uid, generation } = member.body;
  const time = book.clock.now();
  const committed = book.write({
    ...restOf(book, cluster, uid),
    records: [book.authority.eviction({ cluster, uid, generation, evictedAt: time })],
    remove: book.keysOf(cluster),
    speakers: [{ cluster, epoch: Math.max(0, member.head?.order.epoch ?? 0), gateway: null }],
    audit: [
      { time, actor: by, action: "evict", subject: cluster, outcome: "done", detail: `generation ${generation}` },
    ],
  });
  return committed.ok ? committed : err({ code: "unavailable", message: committed.error.message });
}

/** leaveGateway takes one gateway out of its member: its record goes, its index is free again. */
export function leaveGateway(book: Book, cluster: ClusterId, name: NodeName): Result<Revision, DepartFault> {
  const holding = book.catalogue.ledger.holding(cluster);
  if (holding?.gateways.some((gateway) => gateway.name === name) !== true) return ok(book.store.revision());
  const { uid, generation } = holding;
  const key = `gateway/${cluster}/${name}`;
  const committed = book.write({
    grants: [{ kind: "release-gateway", cluster, uid, generation, name }],
    remove: book.entries.has(key) ? [key] : [],
    audit: [
      {
        time: book.clock.now(),
        actor: `cluster ${cluster}`,
        action: "leave",
        subject: `${cluster}/${name}`,
        outcome: "done",
        detail: "gateway",
      },
    ],
  });
  return committed.ok ? committed : err({ code: "unavailable", message: committed.error.message });
}

const NOTHING = { grants: [], allocations: [] } as const;

/** What is live of a member goes to rest, and everybody is told that it no longer means anything. */
function restOf(book: Book, cluster: ClusterId, uid: Uid) {
  const allocations = book.ipam.proposeRelease({ uid }, book.clock.now());
  const holding = book.catalogue.ledger.holding(cluster);
  const gateways = (holding?.gateways ?? []).map(
    (g): GrantEntry => ({ kind: "release-gateway", cluster, uid: g.uid, generation: g.generation, name: g.name }),
  );
  const grants: readonly GrantEntry[] = [
    ...allocations.map(({ prefix }): GrantEntry => ({ kind: "release", prefix })),
    ...gateways,
  ];
  return { grants, allocations };
}
