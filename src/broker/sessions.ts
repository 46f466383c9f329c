import type { Clock, Log } from "#life";
import type { Guest, Link, Refused, Session } from "#sync";
import { type Cidr, err, type NodeName, ok, type Result, type Revision, type Uid } from "#values";
import type { Cursor, FromGateway } from "#wire";
import { admit } from "./admit.ts";
import type { Book } from "./book.ts";
import { clashOf } from "./clash.ts";
import { leave, leaveGateway } from "./depart.ts";
import { dismissGone } from "./dismiss.ts";
import type { Hub, Reader } from "./hub.ts";
import { hearMarks, hearTold, met } from "./meeting.ts";
import type { Presence } from "./presence.ts";
import { publish } from "./publish.ts";
import type { Recovery } from "./recovery.ts";
import { type Refusals, strangerAt } from "./refusals.ts";
import type { Speakers } from "./speakers.ts";

export interface SessionParts {
  readonly book: Book;
  readonly hub: Hub;
  readonly speakers: Speakers;
  readonly recovery: Recovery;
  readonly presence: Presence;
  readonly refusals: Refusals;
  readonly guesses: Refusals;
  readonly supernets: readonly Cidr[];
  readonly clock: Clock;
  readonly log: Log;
}

/** admitSession lets a gateway in and gives what answers its messages from then on. */
export function admitSession(parts: SessionParts, guest: Guest): Result<Session, Refused> {
  const { book, hub, speakers, refusals, supernets, clock, log } = parts;
  const { login, link } = guest;
  const { cluster, gateway } = login;
  const about = { cluster, gateway, remote: link.remote };
  const spent = refusals.isSpent(strangerAt(link.remote));
  const admitted = admit({ ...parts, clash: (who) => clashOf(hub, clock, who) }, guest);
  if (!admitted.ok) {
    if (!spent) log.warn("login refused", { ...about, ...admitted.error });
    return admitted;
  }
  const before = hub.find(cluster, gateway);
  before?.link.cut("the same gateway logged in again");
  if (before !== undefined) hub.remove(before);
  const reader = hub.add(login, link);
  reader.entitled = admitted.value.entitled;
  speakers.connected(cluster, gateway);
  link.tell({
    t: "welcome",
    ...admitted.value.welcome,
    store: book.store.id as Uid,
    revision: book.store.revision(),
    supernets: [...supernets],
    allocationKey: book.authority.publicKey,
    seen: link.remote,
  });
  log.info(admitted.value.joined ? "member joined" : "gateway connected", about);
  return ok(sessionOf(parts, reader));
}

function sessionOf(parts: SessionParts, reader: Reader): Session {
  const { book, hub, speakers, clock, log } = parts;
  const { cluster, gateway } = reader;
  return {
    message(message) {
      reader.lastSeen = clock.now();
      const undo = (error: unknown): never => {
        book.reload(); // what failed half way must not stay in memory
        throw error;
      };
      try {
        return answer(parts, reader, message)?.catch(undo);
      } catch (error) {
        return undo(error);
      }
    },
    gone() {
      hub.remove(reader);
      if (hub.find(cluster, gateway) === undefined) speakers.disconnected(cluster, gateway);
      log.info("gateway disconnected", { cluster, gateway });
    },
  };
}

function answer(parts: SessionParts, reader: Reader, message: FromGateway): Promise<void> | undefined {
  if (message.t === "publish") return take(parts, reader, message);
  if (message.t === "tell") return hearTold(parts, reader, message);
  const { book, hub, speakers } = parts;
  const { cluster, gateway, link } = reader;
  switch (message.t) {
    case "known":
      hearMarks(parts, reader, message);
      break;
    case "sync":
      begin(parts, reader, message);
      break;
    case "claim": {
      const isHere = (name: NodeName): boolean => hub.find(cluster, name) !== undefined;
      const claimed = speakers.claim(cluster, gateway, isHere, message.above ?? 0);
      if (claimed.ok) link.tell({ t: "epoch", id: message.id, epoch: claimed.value });
      else tell(link, message.id, claimed);
      break;
    }
    case "yield": {
      const released = speakers.release(cluster, gateway);
      tell(link, message.id, released.ok ? ok(book.store.revision()) : released);
      break;
    }
    case "withdraw":
      tell(link, message.id, withdraw(parts, reader, message.gateway));
      break;
    case "leave":
      depart(parts, reader, message);
      break;
    case "report":
      reader.held = message.revision;
      reader.latency = message.peers;
      break;
    case "snapshot":
      hub.snapshotOf(reader, message.clusters);
      break;
    default:
      outOfTurn(link, message.t);
  }
  return undefined;
}

async function take(
  parts: SessionParts,
  { cluster, gateway, link }: Reader,
  { id, put, remove }: Extract<FromGateway, { t: "publish" }>,
): Promise<void> {
  const author = { cluster, epoch: () => parts.speakers.holds(cluster, gateway), isHere: () => link.open };
  tell(link, id, await publish(parts, author, { put, remove }));
}

/** A cursor of another store, or ahead of this one, says nothing: then everything is sent that was not compared and
 *  found equal. A gateway that compared nothing has found the digest of the welcome to be its own. */
function begin(parts: SessionParts, reader: Reader, { cursor }: Extract<FromGateway, { t: "sync" }>): void {
  const { book, hub } = parts;
  const { link, outbox, comparison } = reader;
  if (outbox.state !== "waiting") return outOfTurn(link, "sync");
  if (comparison.index() === null) met(parts, reader);
  if (cursor !== null && isAhead(book, cursor)) setBack(parts, reader, cursor.revision);
  const known = cursor !== null && cursor.store === book.store.id && !isAhead(book, cursor);
  outbox.start(known ? cursor.revision : null);
  if (known) hub.complete(reader, cursor.revision);
}

function isAhead({ store }: SessionParts["book"], cursor: Cursor): boolean {
  return cursor.store === store.id && cursor.revision > store.revision();
}

/** Somebody has seen more of this store than it holds: its disk has lost the end of the log. Its revisions are counted
 *  anew from there, and what others have seen under the lost ones must not pass for the new: a new id says so to all.
 *  Nothing else follows from a cursor, which anybody can make up; what is signed is told and compared. */
function setBack({ book, log }: SessionParts, { cluster, gateway }: Reader, seen: number): void {
  const facts = { from: `${cluster}/${gateway}`, seen, held: book.store.revision() };
  if (book.commit({ newId: true }).ok) log.error("the store lacks what a gateway has seen: it gets a new id", facts);
}

/** A sibling is taken out by the member's speaker, and only after it was away for as long as the broker has counted. */
function withdraw(parts: SessionParts, { cluster, gateway }: Reader, name: NodeName): ReturnType<typeof leaveGateway> {
  const { book, speakers, presence } = parts;
  if (speakers.holds(cluster, gateway) === null) {
    return err({ code: "not-speaker", message: `${gateway} does not speak for ${cluster}` });
  }
  if (!presence.isSilent(cluster, name)) {
    return err({ code: "not-silent", message: `${name} was not away for long enough` });
  }
  return leaveGateway(book, cluster, name, `silent, taken out by ${gateway}`);
}

function outOfTurn(link: Link, message: string): void {
  link.refuse({ code: "bad-order", message: `${message} is not expected now`, retry: false });
}

/** Whoever left has nothing more to say: the session ends behind the answer. */
function depart(
  { book, hub, recovery, refusals }: SessionParts,
  reader: Reader,
  { id, record }: Extract<FromGateway, { t: "leave" }>,
): void {
  const { cluster, gateway, link } = reader;
  const left = record === null ? leaveGateway(book, cluster, gateway) : leave(book, cluster, record);
  tell(link, id, left);
  if (!left.ok) {
    const { code, message } = left.error;
    const subject = record?.key.slice(0, 120) ?? `${cluster}/${gateway}`;
    const entry = { actor: `cluster ${cluster}`, action: "leave", subject, detail: `${code}: ${message}` };
    if (code !== "unavailable") refusals.note(`cluster ${cluster}`, entry);
    return;
  }
  link.cut("left");
  if (record !== null) dismissGone(hub, book, cluster);
  recovery.check();
}

function tell(link: Link, id: number, result: Result<Revision, { code: string; message: string }>): void {
  if (result.ok) link.tell({ t: "ack", id, revision: result.value });
  else link.tell({ t: "nack", id, code: result.error.code, message: result.error.message.slice(0, 2000) });
}
