import type { Allocation } from "#ipam";
import { type ClusterId, err, type Namespace, ok, type Result, type Revision, type ServiceName } from "#values";
import { type Applied, type Candidate, type Envelope, examine, type GrantEntry, parseKey } from "#wire";
import type { Book } from "./book.ts";

export interface PublishFault {
  readonly code: string;
  readonly message: string;
}

export interface Publication {
  readonly put: readonly Envelope[];
  readonly remove: readonly string[];
}

/** Most exports of one member: a bound on what a member can make everybody else hold. */
const MAX_EXPORTS = 20_000;
const WRITABLE: ReadonlySet<string> = new Set(["gateway", "head", "export", "nodes"]);

/** publish takes what a member's session sends: owner, signature, order, head, allocation and quota are checked before
 *  anything is stored. The owner is the session's cluster, never a field. `epoch` is the one its speaker holds. */
export function publish(
  book: Book,
  cluster: ClusterId,
  epoch: number | null,
  { put, remove }: Publication,
): Result<Revision, PublishFault> {
  const candidates: Candidate[] = [];
  for (const envelope of put) {
    const candidate = check(book, cluster, epoch, envelope);
    if (!candidate.ok) return refuse(book, cluster, envelope.key, candidate.error);
    candidates.push(candidate.value);
  }
  const foreign = remove.find((key) => ownerOf(key) !== cluster);
  if (foreign !== undefined) return refuse(book, cluster, foreign, notOwner(cluster, foreign));
  const quota = overQuota(book, cluster, candidates);
  if (quota !== undefined) return refuse(book, cluster, `head/${cluster}`, quota);
  const applied = book.catalogue.apply(candidates, remove);
  const fault = applied.refusals[0];
  if (applied.accepted.length === 0) {
    return fault === undefined ? ok(book.store.revision()) : refuse(book, cluster, fault.key, fault);
  }
  const committed = book.accept(applied, addressesFor(book, cluster, applied));
  if (!committed.ok) return err({ code: "unavailable", message: committed.error.message });
  return fault === undefined ? committed : refuse(book, cluster, fault.key, fault);
}

function check(
  book: Book,
  cluster: ClusterId,
  epoch: number | null,
  envelope: Envelope,
): Result<Candidate, PublishFault> {
  const key = parseKey(envelope.key);
  if (!key.ok) return err({ code: "invalid", message: key.error });
  if (ownerOf(envelope.key) !== cluster || !WRITABLE.has(key.value.kind)) return err(notOwner(cluster, envelope.key));
  if (key.value.kind === "head" && envelope.order.epoch !== epoch) {
    return err({
      code: "not-speaker",
      message: `epoch ${envelope.order.epoch} is not the one granted to this gateway`,
    });
  }
  const candidate = examine(envelope, book.authority.verifier);
  return candidate.ok ? candidate : err({ code: "invalid", message: candidate.error });
}

function notOwner(cluster: ClusterId, key: string): PublishFault {
  return { code: "not-owner", message: `${key} is not a record that ${cluster} may write` };
}

function ownerOf(recordKey: string): string | undefined {
  const [kind, owner] = recordKey.split("/");
  return kind === "grant" ? undefined : owner;
}

function overQuota(book: Book, cluster: ClusterId, candidates: readonly Candidate[]): PublishFault | undefined {
  const exports = book.catalogue.members.get(cluster)?.exports;
  const fresh = candidates.filter(
    (c) => c.kind === "export" && exports?.has(`${c.body.namespace}/${c.body.name}`) !== true,
  );
  const total = (exports?.size ?? 0) + fresh.length;
  return total > MAX_EXPORTS
    ? { code: "quota", message: `${cluster} exports more than ${MAX_EXPORTS} services` }
    : undefined;
}

/** addressesFor grants a service address to every exported ClusterSetIP name that has none yet. A name for which there
 *  is none stays without one (its export is Pending); that is no fault of the publication. */
function addressesFor(
  book: Book,
  cluster: ClusterId,
  applied: Applied,
): { readonly grants: readonly GrantEntry[]; readonly allocations: readonly Allocation[] } {
  const exports = book.catalogue.members.get(cluster)?.exports;
  const asks: { cluster: ClusterId; namespace: Namespace; name: ServiceName }[] = [];
  for (const key of applied.exports) {
    const body = exports?.get(key);
    if (body?.type !== "ClusterSetIP" || book.catalogue.ledger.serviceAddress(key) !== undefined) continue;
    asks.push({ cluster, namespace: body.namespace, name: body.name });
  }
  const grants: GrantEntry[] = [];
  const allocations: Allocation[] = [];
  for (const proposal of asks.length === 0 ? [] : book.ipam.proposeServices(asks, book.clock.now())) {
    if (!proposal.ok) continue;
    const { prefix, namespace, name } = proposal.value;
    if (namespace === null || name === null) continue;
    allocations.push(proposal.value);
    grants.push({ kind: "service", namespace, name, address: prefix.slice(0, prefix.indexOf("/")) as never });
  }
  return { grants, allocations };
}

/** Every refusal is an audit line: who, what, why. */
function refuse(book: Book, cluster: ClusterId, key: string, fault: PublishFault): Result<never, PublishFault> {
  const { code, message } = fault;
  const time = book.clock.now();
  book.store.commit({
    audit: [
      {
        time,
        actor: `cluster ${cluster}`,
        action: "publish",
        subject: key.slice(0, 400),
        outcome: "refused",
        detail: `${code}: ${message}`,
      },
    ],
  });
  return err({ code, message });
}
