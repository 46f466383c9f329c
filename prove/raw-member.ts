import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import WebSocket from "ws";
import { BROKER_NAME, channelBinding, createIdentityKey, type JoinToken, signProof } from "#identity";
import { SYNC_PATH } from "#sync";
import type { ClusterId, NodeName, Uid } from "#values";
import { type Envelope, identityKeyOf, MAX_FRAME, seal } from "#wire";

/** Said is a message of the broker, as JSON has it: a hundred of these members in one process check what matters to
 *  them and nothing else, so that it is the broker that is measured. */
export type Said = Record<string, unknown> & { readonly t: string };

/** Batch is a change as it arrives. */
export interface RawBatch {
  readonly revision: number;
  readonly put: readonly Envelope[];
  readonly remove: readonly string[];
  readonly snapshot: boolean;
  readonly more: boolean;
}

export interface RawMemberOptions {
  readonly url: string;
  readonly ca: string;
  readonly cluster: string;
  readonly uid: Uid;
  /** Length of its pod network. */
  readonly podCidr: string;
  /** The address to come from: a broker bounds strangers by it. */
  readonly from?: string;
  readonly onBatch: (batch: RawBatch) => void;
}

/** RawMember is a member's session and its key, without a catalogue. One session at a time. */
export class RawMember {
  readonly options: RawMemberOptions;
  readonly privateKey = createIdentityKey();
  /** Where in the log it is: store and revision. */
  cursor: { readonly store: string; readonly revision: number } | null = null;
  generation = 0;
  #ws: WebSocket | null = null;
  #socket: TLSSocket | null = null;
  #store = "";
  #nextId = 1;
  readonly #asks = new Map<number, (said: Said | null) => void>();

  constructor(options: RawMemberOptions) {
    this.options = options;
  }

  get who(): { readonly cluster: string; readonly uid: Uid; readonly generation: number } {
    return { cluster: this.options.cluster, uid: this.options.uid, generation: this.generation };
  }

  /** connect is dialing, login and the first state. Gives `live`, or the code of a refusal, or `cut`. */
  async connect(token: JoinToken | null): Promise<string> {
    const ws = new WebSocket(new URL(SYNC_PATH, this.options.url), {
      ca: this.options.ca,
      ...(this.options.from === undefined ? {} : { localAddress: this.options.from }),
      minVersion: "TLSv1.3",
      perMessageDeflate: false,
      maxPayload: MAX_FRAME,
      handshakeTimeout: 10_000,
      ...{ servername: BROKER_NAME },
    });
    this.#ws = ws;
    const end = Promise.withResolvers<string>();
    ws.on("upgrade", (response) => {
      this.#socket = response.socket as TLSSocket;
    });
    ws.on("open", () => this.#send({ t: "hello", protocols: [1, 1], features: ["grants"], version: "prove" }));
    ws.on("message", (data) => this.#take(JSON.parse(String(data)) as Said, token, end.resolve));
    ws.on("error", () => {});
    ws.on("close", () => {
      end.resolve("cut");
      for (const settle of this.#asks.values()) settle(null);
      this.#asks.clear();
    });
    return end.promise;
  }

  get connected(): boolean {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** drop ends the session without a word. */
  async drop(): Promise<void> {
    const ws = this.#ws;
    if (ws === null || ws.readyState === WebSocket.CLOSED) return;
    const closed = once(ws, "close");
    ws.terminate();
    await closed;
  }

  /** ask sends a question and gives the answer; null where the session ended before. */
  ask(message: Readonly<Record<string, unknown>>): Promise<Said | null> {
    if (!this.connected) return Promise.resolve(null);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#asks.set(id, resolve);
      this.#send({ ...message, id });
    });
  }

  leave(): Promise<Said | null> {
    const key = `leave/${this.options.cluster}/${this.generation}`;
    const order = { epoch: this.generation, seq: 1 };
    return this.ask({ t: "leave", record: seal(this.privateKey, key, order, { ...this.who, leftAt: 1 }) });
  }

  #send(message: object): void {
    if (this.connected) this.#ws?.send(JSON.stringify(message));
  }

  #take(said: Said, token: JoinToken | null, end: (code: string) => void): void {
    switch (said.t) {
      case "challenge":
        return this.#login(Buffer.from(String(said["nonce"]), "base64url"), token);
      case "welcome":
        this.generation = Number(said["generation"]);
        this.#store = String(said["store"]);
        return this.#send({ t: "sync", cursor: this.cursor?.store === this.#store ? this.cursor : null });
      case "refused":
        return end(String(said["code"]));
      case "batch": {
        const batch = said as unknown as RawBatch;
        this.options.onBatch(batch);
        if (!batch.more) this.cursor = { store: this.#store, revision: batch.revision };
        return batch.more ? undefined : end("live");
      }
      default:
        this.#asks.get(Number(said["id"]))?.(said);
        this.#asks.delete(Number(said["id"]));
    }
  }

  #login(nonce: Uint8Array, token: JoinToken | null): void {
    const { uid, podCidr } = this.options;
    const cluster = this.options.cluster as ClusterId;
    const gateway = "gw" as NodeName;
    if (this.#socket === null) return;
    const binding = { exporter: channelBinding(this.#socket), nonce };
    this.#send({
      ...{ t: "login", cluster, uid, gateway, generation: this.generation, key: identityKeyOf(this.privateKey) },
      ...{ tunnelKey: null, source: null },
      join: token === null ? null : { id: token.id, secret: token.secret.reveal() },
      network: { globalnet: true, pods: [{ cidr: podCidr, wanted: null }], services: ["10.96.0.0/16"], routes: [] },
      proof: signProof(this.privateKey, { ...binding, cluster, uid, gateway }),
    });
  }
}
