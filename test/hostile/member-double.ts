import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import WebSocket from "ws";
import { BROKER_NAME, channelBinding, parseToken, signProof } from "#identity";
import { SYNC_PATH } from "#sync";
import { type ClusterId, expect as must, type NodeName, type Uid } from "#values";
import { decodeFromBroker, type Envelope, type FromBroker, type GrantEntry, type Login } from "#wire";
import { Mailbox } from "./mailbox.ts";
import type { Publication, Signer } from "./signer.ts";

export interface MemberOptions {
  readonly url: string;
  readonly ca: string;
  readonly signer: Signer;
  readonly gateway?: string;
  readonly token?: string;
  /** The address to come from: a broker counts refusals by it. */
  readonly from?: string;
  /** Changes the login; before: and signs what came of it with its own key. */
  readonly forge?: (login: Login) => Login;
  readonly forgeSigned?: (login: Login) => Login;
  /** Changes the text of whatever is said. */
  readonly rewrite?: (text: string) => string;
}

type Answer = Extract<FromBroker, { t: "ack" | "nack" | "epoch" }>;

/** MemberDouble is a member with a valid identity and no conscience: a socket, a key, and whatever a test says. */
export class MemberDouble implements AsyncDisposable {
  readonly signer: Signer;
  readonly ws: WebSocket;
  readonly heard = new Mailbox<FromBroker>();
  readonly closed: Promise<number>;
  /** Every record that the broker has sent, by key. */
  readonly records = new Map<string, Envelope>();
  readonly #options: MemberOptions;
  #socket: TLSSocket | null = null;
  #nextId = 1;

  constructor(options: MemberOptions) {
    const { url, ca, from } = options;
    this.#options = options;
    this.signer = options.signer;
    const local = from === undefined ? {} : { localAddress: from };
    this.ws = new WebSocket(new URL(SYNC_PATH, url), { ca, ...local, ...{ servername: BROKER_NAME } });
    this.ws.on("upgrade", ({ socket }) => {
      this.#socket = socket as TLSSocket;
    });
    this.ws.on("message", (data) => this.#hear(must(decodeFromBroker(String(data)))));
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) => this.ws.once("close", resolve));
  }

  /** dial goes as far as the broker lets it: to the first state, or to a refusal, which it gives. */
  static async dial(options: MemberOptions): Promise<MemberDouble> {
    const made = new MemberDouble(options);
    await made.#greet();
    return made;
  }

  /** joined is dial() for a member that must be let in; it speaks for its cluster then. */
  static async joined(options: MemberOptions): Promise<MemberDouble> {
    const made = await MemberDouble.dial(options);
    const refused = made.refusal();
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
    const claimed = await made.ask({ t: "claim" });
    if (claimed.t === "epoch") made.signer.epoch = claimed.epoch;
    return made;
  }

  refusal(): Extract<FromBroker, { t: "refused" }> | undefined {
    return this.heard.all.find((message) => message.t === "refused");
  }

  say(message: unknown): void {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.ws.send(this.#options.rewrite?.(text) ?? text);
  }

  /** ask says something with a number, and gives the answer to it; a refusal that ends the session is one too. */
  async ask(message: Readonly<Record<string, unknown>>): Promise<Answer | Extract<FromBroker, { t: "refused" }>> {
    const id = this.#nextId++;
    const isAnswer = (heard: FromBroker): boolean => ("id" in heard && heard.id === id) || heard.t === "refused";
    this.say({ ...message, id });
    return (await this.heard.first(isAnswer)) as Answer;
  }

  publish({ put, remove }: Partial<Publication>): ReturnType<MemberDouble["ask"]> {
    return this.ask({ t: "publish", put: put ?? [], remove: remove ?? [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }

  async #greet(): Promise<void> {
    if (this.ws.readyState !== WebSocket.OPEN) await once(this.ws, "open");
    this.say({ t: "hello", protocols: [1, 1], features: ["grants"], version: "double" });
    const challenge = await this.heard.first(({ t }) => t === "challenge" || t === "refused");
    if (challenge.t !== "challenge") return;
    this.say(this.#login(challenge.nonce));
    const welcome = await this.heard.first(({ t }) => t === "welcome" || t === "refused");
    if (welcome.t !== "welcome") return;
    this.signer.generation = welcome.generation;
    this.say({ t: "sync", cursor: null });
    await this.heard.first((message) => message.t === "batch" && !message.more);
    this.signer.place = this.#place();
  }

  #login(nonce: string): Login {
    const { signer, gateway = "gw", token, forge, forgeSigned } = this.#options;
    const { cluster, uid, key, privateKey } = signer;
    const join = token === undefined ? null : must(parseToken(token));
    const plain = {
      ...{ t: "login", cluster, uid, generation: 0, gateway: gateway as NodeName, key },
      ...{ tunnelKey: Buffer.alloc(32, cluster).toString("base64"), source: null },
      join: join === null ? null : { id: join.id, secret: join.secret.reveal() },
      network: { globalnet: true, pods: [{ cidr: "10.244.0.0/16", wanted: null }], services: [], routes: [] },
    } as unknown as Login;
    const login = forgeSigned?.(plain) ?? plain;
    const exporter = channelBinding(this.#socket as TLSSocket);
    const claim = { exporter, nonce: Buffer.from(nonce, "base64url"), ...who(login) };
    const signed = { ...login, proof: signProof(privateKey, claim) };
    return forge?.(signed) ?? signed;
  }

  #hear(message: FromBroker): void {
    if (message.t === "batch") {
      for (const envelope of message.put) this.records.set(envelope.key, envelope);
      for (const key of message.remove) this.records.delete(key);
    }
    this.heard.push(message);
  }

  /** Where the broker's grants put this member. */
  #place(): Signer["place"] {
    const grants = [...this.records.values()].filter(({ key }) => key.startsWith("grant/"));
    const entries = grants.flatMap(({ body }) => (JSON.parse(body) as { entries: GrantEntry[] }).entries);
    const mine = entries.filter((entry) => "cluster" in entry && entry.cluster === this.signer.cluster);
    const pods = mine.findLast((entry) => entry.kind === "pods");
    const nodes = mine.findLast((entry) => entry.kind === "nodes");
    return pods === undefined || nodes === undefined ? null : { pods: pods.prefix, nodes: nodes.prefix };
  }
}

function who({ cluster, uid, gateway }: Login): { cluster: ClusterId; uid: Uid; gateway: NodeName } {
  return { cluster, uid, gateway };
}
