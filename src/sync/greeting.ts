import { randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { channelBinding } from "#identity";
import type { Log } from "#life";
import type { Result } from "#values";
import { decodeFromGateway, FEATURES, type FromGateway, type Login, negotiate } from "#wire";
import type { Gate } from "./gate.ts";
import type { Link, Refused, SocketLink } from "./link.ts";

/** Guest is what a gateway presents before it is let in: `binding` is what its proof must be bound to. */
export interface Guest {
  readonly login: Login;
  readonly binding: { readonly exporter: Uint8Array; readonly nonce: Uint8Array };
  readonly link: Link;
}

/** Session hears of one gateway from its welcome until its end. */
export interface Session {
  /** What takes long gives a promise: the next message is given, and read, when it has ended. */
  message(message: FromGateway): Promise<void> | undefined;
  gone(): void;
}

export interface GreetingOptions {
  readonly version: string;
  readonly log: Log;
  /** admit decides on a login; what it sends before it returns comes first on the wire. */
  admit(guest: Guest): Result<Session, Refused>;
  /** Where logins wait for their turn. */
  readonly gate: Pick<Gate, "enter">;
  /** Called when the gateway is let in. */
  readonly welcomed: () => void;
}

/** Messages of one session that wait while one is at work. */
const MAX_WAITING = 4;

/** Greeting leads one connection to its session:
 *
 *     hello ──(version agreed: challenge)──> login ──(admitted)──> session
 *       └──────────────┴──────(anything else)──> refused
 *
 *  What goes wrong in here ends this connection alone, whoever is to blame. */
export class Greeting {
  readonly #link: SocketLink;
  readonly #socket: TLSSocket;
  readonly #options: GreetingOptions;
  readonly #nonce = randomBytes(24);
  readonly #waiting: FromGateway[] = [];
  #working = false;
  #stage: "hello" | "login" | Session = "hello";

  constructor(link: SocketLink, socket: TLSSocket, options: GreetingOptions) {
    this.#link = link;
    this.#socket = socket;
    this.#options = options;
  }

  /** frame takes what arrived; after the end of the link it is not looked at. */
  frame(text: string | null): void {
    if (!this.#link.open) return;
    const message = text === null ? undefined : decodeFromGateway(text);
    if (message?.ok !== true) return this.#refuse("bad-message", message?.error ?? "a binary frame");
    this.#waiting.push(message.value);
    if (this.#waiting.length > MAX_WAITING) this.#link.pause();
    if (!this.#working) void this.#work();
  }

  ended(): void {
    this.#link.open = false;
    if (typeof this.#stage === "object") this.#stage.gone();
  }

  /** One message after the other. Where more come than can be answered, the socket is not read meanwhile. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#waiting.shift(); next !== undefined && this.#link.open; next = this.#waiting.shift()) {
      try {
        const work = this.#take(next);
        if (work !== undefined) await work;
      } catch (error) {
        this.#options.log.error("a session failed", { remote: this.#link.remote, reason: String(error) });
        this.#link.refuse({ code: "internal", message: "the broker failed at this: see its log", retry: true });
      }
    }
    this.#working = false;
    this.#link.resume();
  }

  #take(message: FromGateway): Promise<void> | undefined {
    if (typeof this.#stage === "object") return this.#stage.message(message);
    if (this.#stage === "hello" && message.t === "hello") this.#hello(message);
    else if (this.#stage === "login" && message.t === "login") return this.#queue(message);
    else this.#refuse("bad-order", `${message.t} is not expected now`);
    return undefined;
  }

  #hello({ protocols, features, version }: Extract<FromGateway, { t: "hello" }>): void {
    const protocol = negotiate(protocols);
    if (protocol === undefined) {
      const [oldest, newest] = protocols;
      const theirs = `protocol ${oldest} to ${newest}`;
      return this.#refuse("protocol", `this broker does not speak ${theirs}: upgrade the older of the two`);
    }
    this.#link.features = features.filter((feature) => FEATURES.includes(feature));
    this.#link.version = version;
    const nonce = this.#nonce.toString("base64url");
    this.#link.tell({ t: "challenge", protocol, features: [...FEATURES], nonce, version: this.#options.version });
    this.#stage = "login";
  }

  /** Whoever has gone by the time that it is its turn costs nothing more. */
  #queue(login: Login): Promise<void> | undefined {
    const wait = this.#options.gate.enter();
    if (wait === undefined) return void this.#login(login);
    return wait.then(() => {
      if (this.#link.open) this.#login(login);
    });
  }

  /** One try: whoever is refused has to come again, and is counted again. */
  #login(login: Login): void {
    const binding = { exporter: channelBinding(this.#socket), nonce: this.#nonce };
    const admitted = this.#options.admit({ login, binding, link: this.#link });
    if (!admitted.ok) return this.#link.refuse(admitted.error);
    this.#stage = admitted.value;
    this.#options.welcomed();
  }

  #refuse(code: string, message: string): void {
    this.#link.refuse({ code, message, retry: false });
  }
}
