import { fingerprintOf } from "#identity";
import type { Log } from "#life";
import type { Candidate, FromGateway } from "#wire";
import type { Book } from "./book.ts";
import { dismissGone } from "./dismiss.ts";
import { entitleLater, type LateParts } from "./entitle-later.ts";
import type { Reader } from "./hub.ts";
import type { Recovery } from "./recovery.ts";

export interface MeetingParts extends LateParts {
  readonly recovery: Recovery;
  readonly log: Log;
}

/** met is for a gateway whose chronicle is the same as ours, or that has told all that was wanted. */
export function met(parts: MeetingParts, reader: Reader): void {
  const { recovery } = parts;
  recovery.sighted(reader.cluster);
  if (!recovery.active) entitleLater(parts, reader);
}

/** hearMarks asks for what a gateway knows and we do not. */
export function hearMarks(
  parts: MeetingParts,
  reader: Reader,
  { marks, more }: Extract<FromGateway, { t: "known" }>,
): void {
  const { link, comparison } = reader;
  if (!comparison.known(marks, more)) {
    link.refuse({ code: "bad-order", message: "known is not expected now, or says too much", retry: false });
  } else if (!more) askOn(parts, reader);
}

/** hearTold takes the answer to what was asked for, and asks for more until there is none. */
export async function hearTold(
  parts: MeetingParts,
  reader: Reader,
  { put, more }: Extract<FromGateway, { t: "tell" }>,
): Promise<void> {
  const told = reader.comparison.tell(put, more);
  if (told === "too-much") {
    return reader.link.refuse({ code: "too-much", message: "more was told than members can hold", retry: true });
  }
  if (told === undefined) return;
  const candidates = await reader.comparison.examined(told);
  if (!reader.link.open) return;
  learn(parts, reader, candidates);
  if (reader.link.open) askOn(parts, reader);
}

function askOn(parts: MeetingParts, reader: Reader): void {
  const keys = reader.comparison.want();
  if (keys.length === 0) met(parts, reader);
  else reader.link.tell({ t: "want", keys: [...keys] });
}

/** What only our allocation key can have signed, and we do not know, shows that the store was set back. */
function learn({ book, hub, log, recovery }: MeetingParts, reader: Reader, candidates: readonly Candidate[]): void {
  const { cluster, gateway } = reader;
  const proofs = candidates.filter(({ kind, envelope }) => isOurs(kind) && !book.catalogue.holds(envelope));
  const above = proofs.reduce((most, { envelope }) => Math.max(most, envelope.order.epoch), 0);
  // A store that was restored twice from one backup has signed under this generation before.
  if (proofs.length > 0 && (!recovery.active || above >= book.store.generation)) {
    recovery.begin(`${cluster}/${gateway} holds ${proofs[0]?.envelope.key}`, above);
  }
  const learned = book.learn(candidates, [lineOf(book, reader, candidates.length)]);
  if (!learned.ok) {
    return reader.link.refuse({ code: learned.error.code, message: learned.error.message, retry: true });
  }
  const { accepted, refusals, members } = learned.value;
  const about = { from: `${cluster}/${gateway}`, records: accepted.length };
  if (accepted.length > 0) log.warn("the broker learned records that it did not have", about);
  for (const refusal of refusals) log.warn("what a gateway told was not believed", { ...about, ...refusal });
  for (const gone of members) dismissGone(hub, book, gone);
  recovery.check();
}

function isOurs(kind: Candidate["kind"]): boolean {
  return kind === "member" || kind === "eviction" || kind === "grant";
}

function lineOf(book: Book, { cluster, gateway }: Reader, records: number) {
  const key = book.catalogue.members.get(cluster)?.body.key;
  const actor = key === undefined ? `cluster ${cluster}` : fingerprintOf(key);
  const detail = `${records} records that were lost here`;
  return {
    time: book.clock.now(),
    actor,
    action: "tell",
    subject: `${cluster}/${gateway}`,
    outcome: "done" as const,
    detail,
  };
}
