import type { Speaker } from "#store";
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
  const writable = book.writable();
  if (!writable.ok) return err({ code: "unavailable", message: writable.error.message });
  const candidate = examine(record, book.authority.verifier);
  if (!candidate.ok) return err({ code: "invalid", message: candidate.error });
  const member = book.catalogue.members.get(cluster);
  const { kind, body } = candidate.value;
  if (kind !== "leave" || body.cluster !== cluster || member === undefined)
    return err({ code: "not-owner", message: `${record.key} is not ${cluster}'s to sign` });
  const { uid, generation } = member.body;
  if (member.gone !== null || body.uid !== uid || body.generation !== generation)
    return err({ code: "invalid", message: `the leave is not of the membership of now, generation ${generation}` });
  const rest = restOf(book, cluster, uid);
  const applied = book.catalogue.apply([candidate.value]);
  const fault = applied.refusals[0];
  if (fault !== undefined) return err({ code: fault.code, message: fault.message });
  return committed(book.accept(applied, { ...rest, audit: [line(book, `cluster ${cluster}`, "leave", cluster)] }));
}

/** evict puts a member out by the broker's own signature. */
export function evict(book: Book, cluster: ClusterId, by: string): Result<Revision, DepartFault> {
  const member = book.catalogue.members.get(cluster);
  if (member === undefined || member.gone !== null) {
    const why = { left: " any more: it left", evicted: " any more: it was evicted", never: "" };
    return err({ code: "unknown", message: `${cluster} is not a member${why[member?.gone ?? "never"]}` });
  }
  const { uid, generation } = member.body;
  const evictedAt = book.clock.now();
  return committed(
    book.write({
      ...restOf(book, cluster, uid),
      records: [book.authority.eviction({ cluster, uid, generation, evictedAt })],
      remove: book.keysOf(cluster),
      audit: [line(book, by, "evict", cluster, `generation ${generation}`)],
    }),
  );
}

/** leaveGateway takes one gateway out of its member: its record goes, its index is free again. */
export function leaveGateway(
  book: Book,
  cluster: ClusterId,
  name: NodeName,
  why = "gateway",
): Result<Revision, DepartFault> {
  const holding = book.catalogue.ledger.holding(cluster);
  if (holding?.gateways.some((gateway) => gateway.name === name) !== true) return ok(book.store.revision());
  const { uid, generation } = holding;
  const key = `gateway/${cluster}/${name}`;
  const speaker = book.speakerOf(cluster);
  return committed(
    book.write({
      grants: [{ kind: "release-gateway", cluster, uid, generation, name }],
      remove: book.entries.has(key) ? [key] : [],
      speakers: speaker?.gateway === name ? [{ ...speaker, gateway: null }] : [],
      audit: [line(book, `cluster ${cluster}`, "leave", `${cluster}/${name}`, why)],
    }),
  );
}

function line(book: Book, actor: string, action: string, subject: string, detail = "") {
  return { time: book.clock.now(), actor, action, subject, outcome: "done" as const, detail };
}

/** The only faults of the store here are those of its disk. */
function committed(result: Result<Revision, { readonly message: string }>): Result<Revision, DepartFault> {
  return result.ok ? result : err({ code: "unavailable", message: result.error.message });
}

/** What is live of a member goes to rest, and everybody is told that it no longer means anything. Nobody speaks for it
 *  any more; its epochs stay used. */
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
  const speaker = book.speakerOf(cluster);
  const head = book.catalogue.members.get(cluster)?.head?.order.epoch ?? 0;
  const speakers: readonly Speaker[] = [{ cluster, epoch: Math.max(speaker?.epoch ?? 0, head), gateway: null }];
  return { grants, allocations, speakers };
}
