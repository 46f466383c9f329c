import type { Clock, Log } from "#life";
import type { Guest, Link, Refused, Session } from "#sync";
import { type Cidr, type ClusterId, err, type NodeName, ok, type Result, type Revision, type Uid } from "#values";
import type { FromGateway } from "#wire";
import { admit } from "./admit.ts";
import type { Book } from "./book.ts";
import { leave, leaveGateway } from "./depart.ts";
import type { Hub, Reader } from "./hub.ts";
import { publish } from "./publish.ts";
import type { Speakers } from "./speakers.ts";

export interface SessionParts {
  readonly book: Book;
  readonly hub: Hub;
  readonly speakers: Speakers;
  readonly supernets: readonly Cidr[];
  readonly clock: Clock;
  readonly log: Log;
}

/** admitSession lets a gateway in and gives what answers its messages from then on. */
export function admitSession(parts: SessionParts, guest: Guest): Result<Session, Refused> {
  const { book, hub, speakers, supernets, log } = parts;
  const { login, link } = guest;
  const before = hub.find(login.cluster, login.gateway);
  const admitted = admit(book, supernets, guest);
  if (!admitted.ok) {
    log.warn("login refused", {
      cluster: login.cluster,
      gateway: login.gateway,
      remote: link.remote,
      ...admitted.error,
    });
    return admitted;
  }
  if (
    before !== undefined &&
    before.link.remote !== link.remote &&
    before.link.buffered() >= 0 &&
    isFresh(parts, before)
  ) {
    return err(inUse(before, login.gateway));
  }
  before?.link.cut("the same gateway logged in again");
  if (before !== undefined) hub.remove(before);
  const reader = hub.add(login.cluster, login.gateway, link);
  speakers.connected(login.cluster, login.gateway);
  link.tell({
    t: "welcome",
    ...admitted.value.welcome,
    store: book.store.id as Uid,
    revision: book.store.revision(),
    supernets: [...supernets],
    allocationKey: book.authority.publicKey,
    seen: link.remote,
  });
  log.info(admitted.value.joined ? "member joined" : "gateway connected", {
    cluster: login.cluster,
    gateway: login.gateway,
    remote: link.remote,
  });
  return ok(sessionOf(parts, reader));
}

/** A session from another address that still talks is another host with the same name or a copied identity. */
function isFresh({ clock }: SessionParts, { lastSeen }: Reader): boolean {
  return clock.now() - lastSeen < 15_000;
}

function inUse({ link }: Reader, name: NodeName): Refused {
  const message = `the gateway name ${name} is in use from ${link.remote}: choose another --name, or stop that gateway`;
  return { code: "name-in-use", message, retry: true };
}

function sessionOf(parts: SessionParts, reader: Reader): Session {
  const { hub, speakers, clock, log } = parts;
  return {
    message(message) {
      reader.lastSeen = clock.now();
      answer(parts, reader, message);
    },
    gone() {
      hub.remove(reader);
      const still = hub.find(reader.cluster, reader.gateway) !== undefined;
      if (!still) speakers.disconnected(reader.cluster, reader.gateway);
      log.info("gateway disconnected", { cluster: reader.cluster, gateway: reader.gateway });
    },
  };
}

function answer(parts: SessionParts, reader: Reader, message: FromGateway): void {
  const { book, hub, speakers } = parts;
  const { cluster, gateway, link, outbox } = reader;
  switch (message.t) {
    case "sync": {
      const { cursor } = message;
      const known = cursor !== null && cursor.store === book.store.id && cursor.revision <= book.store.revision();
      return outbox.start(known ? cursor.revision : null);
    }
    case "publish": {
      const epoch = speakers.holds(cluster, gateway);
      return tell(link, message.id, publish(book, cluster, epoch, message));
    }
    case "claim": {
      const claimed = speakers.claim(cluster, gateway, (name) => hub.find(cluster, name) !== undefined);
      if (claimed.ok) return link.tell({ t: "epoch", id: message.id, epoch: claimed.value });
      return tell(link, message.id, claimed);
    }
    case "yield": {
      const released = speakers.release(cluster, gateway);
      return tell(link, message.id, released.ok ? ok(book.store.revision()) : released);
    }
    case "leave":
      return depart(parts, reader, message);
    case "report": {
      reader.held = message.revision;
      reader.latency = message.peers;
      return;
    }
    case "snapshot":
      return hub.snapshotOf(reader, message.clusters);
    case "hello":
    case "login":
      return link.refuse({ code: "bad-order", message: `${message.t} is not expected now`, retry: false });
  }
}

function depart(
  { book, hub }: SessionParts,
  reader: Reader,
  { id, record }: Extract<FromGateway, { t: "leave" }>,
): void {
  const { cluster, gateway, link } = reader;
  if (record === null) return tell(link, id, leaveGateway(book, cluster, gateway));
  const left = leave(book, cluster, record);
  tell(link, id, left);
  if (left.ok) dismiss(hub, cluster, { code: "left", message: `${cluster} left the clusterset`, retry: false }, reader);
}

/** dismiss ends the sessions of a cluster that is no member any more. */
export function dismiss(hub: Hub, cluster: ClusterId, refused: Refused, except?: Reader): void {
  for (const reader of hub.readers()) {
    if (reader.cluster === cluster && reader !== except) reader.link.refuse(refused);
  }
}

function tell(link: Link, id: number, result: Result<Revision, { code: string; message: string }>): void {
  if (result.ok) link.tell({ t: "ack", id, revision: result.value });
  else link.tell({ t: "nack", id, code: result.error.code, message: result.error.message.slice(0, 2000) });
}
