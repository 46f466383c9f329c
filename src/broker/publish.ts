import { setImmediate as nextTurn } from "node:timers/promises";
import { slices } from "#life";
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

/** Who publishes: the session's cluster, never a field. */
export interface Author {
  readonly cluster: ClusterId;
  /** The epoch that this gateway speaks under now; null where it does not. */
  readonly epoch: () => number | null;
  /** Whether its session is still the one that counts. */
  readonly isHere: () => boolean;
}

/** Most exports of one member, and most bytes of its records: a bound on what it can make everybody else hold. */
const MAX_EXPORTS = 20_000;
const MAX_BYTES = 64 << 20;
/** With at most so many names, records and service addresses are one transaction; with more that would take too long. */
const MAX_AT_ONCE = 32;
const WRITABLE: ReadonlySet<string> = new Set(["gateway", "head", "export", "nodes"]);

/** publish takes what a member's session sends: owner, signature, order, head, allocation and quota are checked before
 *  anything is stored. What needs no knowledge of other records is checked first, in slices beside other work; the rest
 *  is one step together with the commit, so that nothing it was judged by can change in between. */
export async function publish(
  { book, refusals }: { readonly book: Book; readonly refusals: Refusals },
  author: Author,
  publication: Publication,
): Promise<Result<Revision, PublishFault>> {
  const candidates = await examined(book, author, publication);
  if (publication.put.length > MAX_AT_ONCE) await nextTurn(); // the check has used up this turn
  if (!author.isHere()) return err({ code: "gone", message: "the session ended before the publication was taken" });
  const done = candidates.ok ? take(book, author, candidates.value, publication.remove) : candidates;
  if (!done.ok) return done.error.key === null ? done : refuse(refusals, author, done.error);
  await grantLater(book, author.cluster, done.value.names);
  return ok(done.value.revision);
}

/** Taken is what was stored, and the names among it that still wait for their service address. */
interface Taken {
  readonly revision: Revision;
  readonly names: readonly string[];
}

/** Faults of the disk have no key: they are nobody's to be refused for. */
type Fault = PublishFault & { readonly key: string | null };

function take(
  book: Book,
  author: Author,
  candidates: readonly Candidate[],
  remove: readonly string[],
): Result<Taken, Fault> {
  const unavailable = (message: string) => err({ code: "unavailable", message, key: null });
  const writable = book.writable();
  if (!writable.ok) return unavailable(writable.error.message);
  const late = candidates.map((candidate) => orderFault(book, author, candidate)).find((fault) => fault !== undefined);
  const fault = late ?? quotaFault(book, author.cluster, candidates);
  if (fault !== undefined) return err({ key: `head/${author.cluster}`, ...fault });
  const applied = book.catalogue.apply(candidates, remove);
  const refusal = applied.refusals[0];
  const atOnce = applied.exports.size <= MAX_AT_ONCE;
  if (applied.accepted.length > 0) {
    const grants = atOnce ? addressesFor(book, author.cluster, applied.exports) : {};
    const committed = book.accept(applied, grants);
    if (!committed.ok) return unavailable(committed.error.message);
  }
  const names = atOnce ? [] : [...applied.exports];
  return refusal === undefined ? ok({ revision: book.store.revision(), names }) : err(refusal);
}

/** The addresses of many names are a step of their own. What a crash or a full disk leaves without one is found by the
 *  housekeeping. */
async function grantLater(book: Book, cluster: ClusterId, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await nextTurn();
  const { grants, allocations } = addressesFor(book, cluster, names);
  if (allocations.length > 0) book.write({ grants, allocations });
}

/** examined checks all that can be checked without the catalogue. */
async function examined(
  book: Book,
  { cluster }: Author,
  { put, remove }: Publication,
): Promise<Result<readonly Candidate[], Fault>> {
  const foreign =
    put.find(({ key }) => !isOwned(key, cluster, (kind) => WRITABLE.has(kind)))?.key ??
    remove.find((key) => !isOwned(key, cluster, underHead));
  if (foreign !== undefined) {
    return err({ code: "not-owner", message: `${foreign} is not a record that ${cluster} may write`, key: foreign });
  }
  const candidates: Candidate[] = [];
  let fault: Fault | undefined;
  await slices(put, (envelope) => {
    const candidate = fault === undefined ? examine(envelope, book.authority.verifier) : undefined;
    if (candidate?.ok === true) candidates.push(candidate.value);
    else if (candidate !== undefined) fault = { code: "invalid", message: candidate.error, key: envelope.key };
  });
  fault ??= shapeFault(cluster, candidates, remove);
  return fault === undefined ? ok(candidates) : err(fault);
}

/** Heads and gateways are numbered one after the other; a head also has the epoch that its signer was granted. */
function orderFault(book: Book, { epoch }: Author, { kind, envelope: { key, order } }: Candidate): Fault | undefined {
  if (kind !== "head" && kind !== "gateway") return undefined;
  if (kind === "head" && order.epoch !== epoch()) {
    return { code: "not-speaker", message: `epoch ${order.epoch} is not the one granted to this gateway`, key };
  }
  const held = book.catalogue.orderOf(key);
  if (held === undefined || compareOrder(order, held) >= 0) return undefined;
  const numbers = `${order.epoch}.${order.seq} is older than ${held.epoch}.${held.seq}`;
  return { code: "stale", message: `${numbers}, which is held`, key };
}

/** Without their head records would be dropped in silence, and yet acknowledged. */
function shapeFault(
  cluster: ClusterId,
  candidates: readonly Candidate[],
  remove: readonly string[],
): Fault | undefined {
  const key = `head/${cluster}`;
  const keys = new Set(candidates.map(({ envelope }) => envelope.key));
  if (keys.size < candidates.length) return { code: "invalid", message: "one record is there twice", key };
  const needsHead = remove.length > 0 || candidates.some(({ kind }) => underHead(kind));
  const hasHead = candidates.some(({ kind }) => kind === "head");
  return needsHead && !hasHead
    ? { code: "no-head", message: "exports and nodes come with their head", key }
    : undefined;
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

/** Every refusal is an audit line, or one of a number of them: who, what, why. */
function refuse(refusals: Refusals, { cluster }: Author, { code, message, key }: Fault): Result<never, PublishFault> {
  const actor = `cluster ${cluster}`;
  refusals.note(actor, { actor, action: "publish", subject: (key ?? "").slice(0, 400), detail: `${code}: ${message}` });
  return err({ code, message });
}
