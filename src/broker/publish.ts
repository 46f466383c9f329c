import { type ClusterId, err, ok, type Result, type Revision } from "#values";
import { type Candidate, compareOrder, type Envelope, examine, parseKey, type RecordKey, underHead } from "#wire";
import type { Book } from "./book.ts";
import type { Refusals } from "./refusals.ts";
import { addressesFor } from "./service-addresses.ts";

export interface PublishFault {
  readonly code: string;
  readonly message: string;
}

export interface Publication {
  readonly put: readonly Envelope[];
  readonly remove: readonly string[];
}

/** Who publishes: the session's cluster, never a field. `epoch` is the one that this gateway speaks under. */
export interface Author {
  readonly cluster: ClusterId;
  readonly epoch: number | null;
}

/** Most exports of one member, and most bytes of its records: a bound on what it can make everybody else hold. */
const MAX_EXPORTS = 20_000;
const MAX_BYTES = 64 << 20;
const WRITABLE: ReadonlySet<string> = new Set(["gateway", "head", "export", "nodes"]);

type Fault = PublishFault & { readonly key: string };

/** publish takes what a member's session sends: owner, signature, order, head, allocation and quota are checked before
 *  anything is stored. */
export function publish(
  { book, refusals }: { readonly book: Book; readonly refusals: Refusals },
  author: Author,
  publication: Publication,
): Result<Revision, PublishFault> {
  const writable = book.writable();
  if (!writable.ok) return err({ code: "unavailable", message: writable.error.message });
  const candidates = examined(book, author, publication);
  if (!candidates.ok) return refuse(refusals, author, candidates.error);
  const applied = book.catalogue.apply(candidates.value, publication.remove);
  const fault = applied.refusals[0];
  if (applied.accepted.length === 0) {
    return fault === undefined ? ok(book.store.revision()) : refuse(refusals, author, fault);
  }
  const committed = book.accept(applied, addressesFor(book, author.cluster, applied.exports));
  if (!committed.ok) return err({ code: "unavailable", message: committed.error.message });
  return fault === undefined ? committed : refuse(refusals, author, fault);
}

/** examined checks all that can be checked before the catalogue, which changes, is asked. */
function examined(book: Book, author: Author, { put, remove }: Publication): Result<readonly Candidate[], Fault> {
  const candidates: Candidate[] = [];
  for (const envelope of put) {
    const candidate = check(book, author, envelope);
    if (!candidate.ok) return err({ ...candidate.error, key: envelope.key });
    candidates.push(candidate.value);
  }
  const foreign = remove.find((key) => !isOwned(key, author.cluster, underHead));
  if (foreign !== undefined) return err({ ...notOwner(author.cluster, foreign), key: foreign });
  const fault = shapeFault(candidates, remove) ?? quotaFault(book, author.cluster, candidates);
  return fault === undefined ? ok(candidates) : err({ ...fault, key: `head/${author.cluster}` });
}

function check(book: Book, { cluster, epoch }: Author, envelope: Envelope): Result<Candidate, PublishFault> {
  if (!isOwned(envelope.key, cluster, (kind) => WRITABLE.has(kind))) return err(notOwner(cluster, envelope.key));
  if (envelope.key === `head/${cluster}` && envelope.order.epoch !== epoch) {
    const message = `epoch ${envelope.order.epoch} is not the one granted to this gateway`;
    return err({ code: "not-speaker", message });
  }
  const candidate = examine(envelope, book.authority.verifier);
  if (!candidate.ok) return err({ code: "invalid", message: candidate.error });
  const held = book.catalogue.orderOf(envelope.key);
  const numbered = candidate.value.kind === "head" || candidate.value.kind === "gateway";
  if (numbered && held !== undefined && compareOrder(envelope.order, held) < 0) {
    const message = `${envelope.order.epoch}.${envelope.order.seq} is older than ${held.epoch}.${held.seq}, which is held`;
    return err({ code: "stale", message });
  }
  return candidate;
}

/** Without their head records would be dropped in silence, and yet acknowledged. */
function shapeFault(candidates: readonly Candidate[], remove: readonly string[]): PublishFault | undefined {
  const keys = new Set(candidates.map(({ envelope }) => envelope.key));
  if (keys.size < candidates.length) return { code: "invalid", message: "one record is there twice" };
  const needsHead = remove.length > 0 || candidates.some(({ kind }) => underHead(kind));
  const hasHead = candidates.some(({ kind }) => kind === "head");
  return needsHead && !hasHead ? { code: "no-head", message: "exports and nodes come with their head" } : undefined;
}

function quotaFault(book: Book, cluster: ClusterId, candidates: readonly Candidate[]): PublishFault | undefined {
  const exports = book.catalogue.members.get(cluster)?.exports;
  let total = exports?.size ?? 0;
  let bytes = book.bytesOf(cluster);
  for (const candidate of candidates) {
    bytes += candidate.envelope.body.length - (book.entries.get(candidate.envelope.key)?.envelope.body.length ?? 0);
    if (candidate.kind !== "export") continue;
    if (exports?.has(`${candidate.body.namespace}/${candidate.body.name}`) !== true) total += 1;
  }
  if (total > MAX_EXPORTS) return { code: "quota", message: `${cluster} exports more than ${MAX_EXPORTS} services` };
  return bytes > MAX_BYTES
    ? { code: "quota", message: `the records of ${cluster} are larger than ${MAX_BYTES >> 20} MiB` }
    : undefined;
}

function isOwned(text: string, cluster: ClusterId, may: (kind: RecordKey["kind"]) => boolean): boolean {
  const key = parseKey(text);
  return key.ok && "cluster" in key.value && key.value.cluster === cluster && may(key.value.kind);
}

function notOwner(cluster: ClusterId, key: string): PublishFault {
  return { code: "not-owner", message: `${key} is not a record that ${cluster} may write` };
}

/** Every refusal is an audit line, or one of a number of them: who, what, why. */
function refuse(refusals: Refusals, { cluster }: Author, { code, message, key }: Fault): Result<never, PublishFault> {
  const actor = `cluster ${cluster}`;
  refusals.note(actor, { actor, action: "publish", subject: key.slice(0, 400), detail: `${code}: ${message}` });
  return err({ code, message });
}
