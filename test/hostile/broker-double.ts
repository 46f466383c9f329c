import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { createBrokerCa, createServerKey, fingerprintOfBytes, issueServerCertificate, mintToken } from "#identity";
import { batchFrames, SYNC_PATH } from "#sync";
import { type Cidr, type ClusterId, millis, type Revision, type Uid } from "#values";
import {
  decodeFromGateway,
  type Envelope,
  type FromGateway,
  type GrantEntry,
  identityKeyOf,
  type Login,
  parseKey,
  seal,
} from "#wire";
import { Mailbox } from "./mailbox.ts";
import { Signer } from "./signer.ts";

/** Lies is what a script changes of what an honest broker would say. Each is asked for every message. */
export interface Lies {
  /** What of a batch one session gets; null sends nothing at all. */
  batch?: (batch: DoubleBatch, session: BrokerSession) => DoubleBatch | null;
  /** What a session begins with, instead of what the gateway lacks. */
  first?: () => DoubleBatch;
  welcome?: (welcome: Record<string, unknown>, session: BrokerSession) => Record<string, unknown>;
  /** Instead of the challenge: whatever the script sends by itself. */
  hello?: (session: BrokerSession) => void;
}

export interface DoubleBatch {
  readonly put: readonly Envelope[];
  readonly remove: readonly string[];
  readonly snapshot: boolean;
}

/** BrokerSession is one gateway's connection, with the socket under it for what no library would send. */
export interface BrokerSession {
  readonly ws: WebSocket;
  readonly socket: TLSSocket;
  readonly heard: Mailbox<FromGateway>;
  /** The code with which the gateway ended it. */
  readonly closed: Promise<number>;
  login: Login | null;
  say(message: unknown): void;
}

/** BrokerDouble is a broker that has all keys of one and no conscience: admission, grants, epochs and fan-out are done
 *  as an honest one does, apart from what `lies` changes and what a test says by hand. It serves gateways, and
 *  puppets: members that are nothing but a key, so that a test can have them say anything. */
export class BrokerDouble implements AsyncDisposable {
  readonly store = "00000000-0000-4000-8000-0000000000dd" as Uid;
  readonly allocationKey = generateKeyPairSync("ed25519").privateKey;
  readonly records = new Map<string, { readonly envelope: Envelope; readonly revision: number }>();
  readonly arrivals = new Mailbox<BrokerSession>();
  lies: Lies = {};
  revision = 1;
  supernets: readonly string[] = ["242.0.0.0/8"];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #members = new Map<ClusterId, Signer>();
  readonly #live = new Set<BrokerSession>();
  readonly #epochs = new Map<ClusterId, number>();
  readonly #fingerprint: ReturnType<typeof fingerprintOfBytes>;
  #grants = 0;
  #services = 0;
  #url = "";

  private constructor(host: string) {
    const ca = createBrokerCa(millis(Date.now()));
    const serverKey = createServerKey();
    const cert = issueServerCertificate(ca, { hosts: [host], serverKey, now: millis(Date.now()) });
    const key = serverKey.export({ format: "pem", type: "pkcs8" });
    this.#fingerprint = fingerprintOfBytes(Buffer.from(ca.pem.replace(/-----[^-]+-----|\s/g, ""), "base64"));
    this.#server = createServer({ key, cert: cert + ca.pem, minVersion: "TLSv1.3" });
    this.#server.on("upgrade", (request, socket, head) => {
      if (request.url === SYNC_PATH)
        this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws, socket as TLSSocket));
      else socket.destroy();
    });
  }

  static async open({ host = "127.0.0.1", port = 0 } = {}): Promise<BrokerDouble> {
    const made = new BrokerDouble(host);
    made.#server.listen(port, host);
    await once(made.#server, "listening");
    made.#url = `wss://${host}:${(made.#server.address() as AddressInfo).port}`;
    return made;
  }

  get url(): string {
    return this.#url;
  }

  /** token lets any gateway join here: the double asks nobody for a secret. */
  token(): string {
    return mintToken({ url: this.#url, fingerprint: this.#fingerprint }).token.reveal();
  }

  sessions(): readonly BrokerSession[] {
    return [...this.#live];
  }

  /** session waits until a cluster's gateway is there, beginning with the nth one that came. */
  session(cluster: string, from = 0): Promise<BrokerSession> {
    return this.arrivals.first(({ login }) => login?.cluster === cluster, from);
  }

  /** puppet is a new member that is only a key. */
  puppet(cluster: string): Signer {
    const signer = new Signer(cluster);
    this.admit(signer);
    return signer;
  }

  /** admit makes a member record and grants, and tells everybody. The nth member has 242.n.0.0/16. */
  admit(signer: Signer, gateway = "gw"): void {
    const n = this.#members.size + 1;
    this.#members.set(signer.cluster, signer);
    signer.place = { pods: `242.${n}.0.0/16` as Cidr, nodes: `242.0.${n}.0/24` as Cidr };
    const entries = signer.grants().map((entry) => (entry.kind === "gateway" ? { ...entry, name: gateway } : entry));
    this.put([this.grant(...(entries as readonly GrantEntry[])), this.member(signer)]);
  }

  /** member is a member's record, as the allocation key signs it; `change` is the lie. */
  member(signer: Signer, change: Readonly<Record<string, unknown>> = {}, epoch = 1): Envelope {
    const body = { ...signer.who, key: signer.key, joinedAt: 1000, ...change };
    const seq = Number(body["generation"]);
    return seal(this.allocationKey, `member/${signer.cluster}`, { epoch, seq }, body);
  }

  grant(...entries: readonly GrantEntry[]): Envelope {
    this.#grants += 1;
    const order = { epoch: 1, seq: this.#grants };
    return seal(this.allocationKey, `grant/${this.#grants}`, order, { number: this.#grants, entries });
  }

  eviction({ who, cluster, generation }: Signer): Envelope {
    return seal(this.allocationKey, `eviction/${cluster}`, { epoch: 1, seq: generation }, { ...who, evictedAt: 1 });
  }

  /** put keeps records and sends them to everybody, as one change; it grants what new exports need. */
  put(put: readonly Envelope[], remove: readonly string[] = []): void {
    this.revision += 1;
    const grants = this.#addressesFor(put);
    for (const key of remove) this.records.delete(key);
    for (const envelope of [...grants, ...put]) this.records.set(envelope.key, { envelope, revision: this.revision });
    this.tell({ put: [...grants, ...put], remove, snapshot: false });
  }

  /** tell sends a batch to everybody and keeps nothing of it: what is said here was never accepted by anybody. */
  tell(batch: Partial<DoubleBatch>): void {
    for (const session of this.#live) this.send(session, { put: [], remove: [], snapshot: false, ...batch });
  }

  /** send passes one batch through the lies to one session. */
  send(session: BrokerSession, batch: DoubleBatch): void {
    const told = this.lies.batch === undefined ? batch : this.lies.batch(batch, session);
    if (told === null) return;
    const { put, remove, snapshot } = told;
    const revision = this.revision as Revision;
    for (const frame of batchFrames({ revision, put, removed: remove, snapshot })) session.ws.send(frame);
  }

  /** all is everything that is kept, as a snapshot of it. */
  all(): DoubleBatch {
    return { put: [...this.records.values()].map(({ envelope }) => envelope), remove: [], snapshot: true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #greet(ws: WebSocket, socket: TLSSocket): void {
    const closed = new Promise<number>((resolve) => ws.once("close", resolve));
    const say = (message: unknown): void => ws.send(typeof message === "string" ? message : JSON.stringify(message));
    const session: BrokerSession = { ws, socket, heard: new Mailbox(), closed, login: null, say };
    ws.on("error", () => {});
    void closed.then(() => this.#live.delete(session));
    ws.on("message", (data) => {
      const message = decodeFromGateway(String(data));
      if (!message.ok) throw new Error(`the gateway sent what is no message: ${message.error}`);
      this.#take(session, message.value);
      session.heard.push(message.value);
    });
  }

  #take(session: BrokerSession, message: FromGateway): void {
    switch (message.t) {
      case "hello":
        if (this.lies.hello !== undefined) return this.lies.hello(session);
        return session.say({ t: "challenge", protocol: 1, features: ["grants"], nonce: "n".repeat(32), version: "1" });
      case "login":
        return this.#login(session, message);
      case "sync":
        this.#live.add(session);
        this.send(session, this.lies.first?.() ?? this.#since(message.cursor));
        return this.arrivals.push(session);
      case "snapshot":
        return this.send(session, this.#snapshotOf(message.clusters));
      case "claim": {
        const cluster = session.login?.cluster as ClusterId;
        const epoch = (this.#epochs.get(cluster) ?? 0) + 1;
        this.#epochs.set(cluster, epoch);
        return session.say({ t: "epoch", id: message.id, epoch });
      }
      case "publish":
        this.put(message.put, message.remove);
        return session.say({ t: "ack", id: message.id, revision: this.revision });
      default:
        if ("id" in message) session.say({ t: "ack", id: message.id, revision: this.revision });
    }
  }

  #login(session: BrokerSession, login: Login): void {
    session.login = login;
    const known = this.#members.get(login.cluster) ?? new Signer(login.cluster, undefined, login.uid);
    if (!this.#members.has(login.cluster)) {
      Object.defineProperty(known, "key", { value: login.key });
      this.admit(known, login.gateway);
    }
    const head = this.records.get(`head/${login.cluster}`)?.envelope;
    const welcome = {
      ...{ t: "welcome", uid: login.uid, generation: known.generation, store: this.store, revision: this.revision },
      ...{ supernets: this.supernets, allocationKey: identityKeyOf(this.allocationKey), index: 0 },
      incarnation: this.records.get(`gateway/${login.cluster}/${login.gateway}`)?.envelope.order.epoch ?? 0,
      epoch: this.#epochs.get(login.cluster) ?? 0,
      head: head === undefined ? null : { order: head.order, root: JSON.parse(head.body).root },
      seen: "127.0.0.1",
    };
    session.say(this.lies.welcome?.(welcome, session) ?? welcome);
  }

  #since(cursor: { readonly store: Uid; readonly revision: number } | null): DoubleBatch {
    if (cursor?.store !== this.store) return this.all();
    const put = [...this.records.values()].filter(({ revision }) => revision > cursor.revision);
    return { put: put.map(({ envelope }) => envelope), remove: [], snapshot: false };
  }

  #snapshotOf(clusters: readonly string[]): DoubleBatch {
    const put = this.all().put.filter(({ key }) => clusters.includes(key.split("/")[1] ?? ""));
    return { put, remove: [], snapshot: true };
  }

  /** New names of type ClusterSetIP get the next address of the services' quarter. */
  #addressesFor(put: readonly Envelope[]): readonly Envelope[] {
    const entries = put.flatMap(({ key, body }): GrantEntry[] => {
      const at = parseKey(key);
      if (!at.ok || at.value.kind !== "export" || JSON.parse(body).type !== "ClusterSetIP") return [];
      const { namespace, name } = at.value;
      if (this.#named.has(`${namespace}/${name}`)) return [];
      this.#named.add(`${namespace}/${name}`);
      this.#services += 1;
      return [{ kind: "service", namespace, name, address: `242.192.0.${this.#services}` } as GrantEntry];
    });
    return entries.length === 0 ? [] : [this.grant(...entries)];
  }

  readonly #named = new Set<string>();
}
