import type { Revision } from "#values";
import type { Envelope } from "#wire";
import type { Desk, DeskChange } from "./desk.ts";
import { Inbox } from "./inbox.ts";
import type { Office, OperationAsk } from "./operation.ts";
import { Refused } from "./problem.ts";
import { viewRecord } from "./views.ts";

/** A comment after so long without an event: proxies and browsers then know that the connection lives. */
const HEARTBEAT_MS = 15_000;
/** An event ends at so many bytes; a revision with more is several events, of which the last has the id. */
const EVENT_BYTES = 64 << 10;
/** Keys of removed records in one event. */
const REMOVED_AT_ONCE = 1000;

type Ask = OperationAsk<unknown, { readonly since?: number | undefined }, unknown>;
interface Stored {
  readonly envelope: Envelope;
  readonly revision: Revision;
}

/** watch gives the log as server-sent events (WHATWG HTML, 9.2):
 *
 *    backfill ──> synced ──> live ──┐
 *        ↑───────── missed ─────────┘
 *
 *  Nothing is kept for a watcher but a short inbox: one that is too slow for it gets the backfill again, from where it
 *  is. Throws Refused before the first event when the log does not reach back to the revision asked for. */
export async function* watch({ desk, clock }: Office, { query, signal, lastEventId }: Ask): AsyncGenerator<string> {
  const inbox = new Inbox(desk);
  try {
    let cursor = startOf(desk, query.since, lastEventId);
    for (let first = true, stale = true; !signal.aborted; first = false) {
      if (stale) {
        const through = desk.revision();
        const changes = desk.changesSince(cursor);
        if (changes === "too-old") return yield* gone(cursor, first);
        yield ": meridian\n\n";
        yield* backfill(changes, cursor);
        cursor = through;
        yield event("synced", { revision: cursor }, cursor);
      }
      const next = await inbox.next(clock, HEARTBEAT_MS, signal);
      stale = next === "missed";
      if (next === "quiet") yield ":\n\n";
      else if (next !== "missed" && next.revision > cursor) {
        cursor = next.revision;
        yield* eventsOf(next);
      }
    }
  } finally {
    inbox.close();
  }
}

/** A browser that comes back says in Last-Event-ID what it had; that is newer than the URL that it was given. */
function startOf(desk: Desk, since: number | undefined, lastEventId: string | null): Revision {
  if (lastEventId !== null && /^\d{1,15}$/.test(lastEventId)) return Number(lastEventId) as Revision;
  return (since ?? desk.revision()) as Revision;
}

/** gone refuses a watch that has not begun, and ends one that has: its reader must list again either way. */
function* gone(cursor: Revision, first: boolean): Generator<string> {
  const detail = `the changes since revision ${cursor} are not known any more: list again, and watch from there`;
  if (first) throw new Refused("revision-gone", detail);
  yield event("gone", { revision: cursor, detail }, null);
}

/** backfill tells first what is gone, without an id: whoever is cut off in the middle hears of it again. */
function* backfill({ put, removed }: Exclude<ReturnType<Desk["changesSince"]>, "too-old">, cursor: Revision) {
  for (let at = 0; at < removed.length; at += REMOVED_AT_ONCE) {
    const some = removed.slice(at, at + REMOVED_AT_ONCE);
    yield event("change", { revision: cursor, put: [], removed: some }, null);
  }
  let group: Stored[] = [];
  for (const stored of [...put].sort((a, b) => a.revision - b.revision)) {
    if (group[0] !== undefined && group[0].revision !== stored.revision) {
      yield* groupEvents(group[0].revision, group, []);
      group = [];
    }
    group.push(stored);
  }
  if (group[0] !== undefined) yield* groupEvents(group[0].revision, group, []);
}

/** What was written for one watcher serves all; it goes when the change goes. */
const encoded = new WeakMap<DeskChange, readonly string[]>();

/** eventsOf writes a live change, once for all watchers. */
function eventsOf(change: DeskChange): readonly string[] {
  const known = encoded.get(change);
  if (known !== undefined) return known;
  const { revision, put, removed } = change;
  const texts = [
    ...groupEvents(
      revision,
      put.map((envelope) => ({ envelope, revision })),
      removed,
    ),
  ];
  encoded.set(change, texts);
  return texts;
}

/** groupEvents writes one revision. Only its last event has the id: whoever is cut off before it hears all again. */
function* groupEvents(revision: Revision, put: readonly Stored[], removed: readonly string[]): Generator<string> {
  let some: unknown[] = [];
  let bytes = 0;
  for (const stored of put) {
    if (bytes > EVENT_BYTES) {
      yield event("change", { revision, put: some, removed: [] }, null);
      some = [];
      bytes = 0;
    }
    some.push(viewRecord(stored.envelope, stored.revision));
    bytes += stored.envelope.body.length;
  }
  yield event("change", { revision, put: some, removed }, revision);
}

/** event writes one; its data is one line, since JSON has no line ends. */
function event(name: string, data: unknown, id: Revision | null): string {
  return `event: ${name}\n${id === null ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
