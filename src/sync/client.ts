import { backoffMs, type Clock, type Log, type Room } from "#life";
import { err, type NodeName, ok, type Result, type Revision } from "#values";
import {
  type Batch,
  type Cursor,
  FEATURES,
  type FromBroker,
  type FromGateway,
  type Login,
  PROTOCOL,
  type Welcome,
} from "#wire";
import { type Answer, Asks, type Fault } from "./asks.ts";
import { type Exchange, sendMarks, tell } from "./exchange.ts";
import { TIMING, type Timing } from "./limits.ts";
import { Line } from "./line.ts";
import type { Refused } from "./link.ts";

/** SessionState of the client:
 *     dialing ──> greeting ──> syncing ──> live ──> dialing …
 * `live` means that the first state was received, not that the broker is still there. Keep serving what was learned. */
export type SessionState = "dialing" | "greeting" | "syncing" | "live";

export interface SyncClientOptions {
  /** `wss://HOST:PORT` of the brokers, tried in turn. */
  readonly urls: () => readonly string[];
  readonly tls: () => { readonly ca: string; readonly servername: string };
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly timing?: Timing;
  /** login is asked for the message that answers a challenge; its proof is bound to this connection. */
  login(binding: { readonly exporter: Uint8Array; readonly nonce: Uint8Array }): Login;
  cursor(): Cursor | null;
  /** Without one the broker is taken at its word. */
  readonly exchange?: Exchange;
  /** Gateways of this member that have been away for long: whoever speaks for it is to take them out. */
  silent?(gateways: readonly NodeName[]): void;
  welcomed(welcome: Welcome): void;
  /** batch takes one frame of changes; the next is not given before it has ended. Where it rejects, the session ends
   *  and the next one begins at the cursor. */
  batch(batch: Batch): Promise<void>;
  refused(refused: Refused): void;
  state(state: SessionState, url: string): void;
}

/** SyncClient keeps a session to the broker and asks things of it. Answers are errors with code `broker-away` when
 *  the session ends first: the caller asks again after the next welcome. */
export interface SyncClient extends Room {
  readonly state: SessionState;
  publish(ask: {
    put: Extract<FromGateway, { t: "publish" }>["put"];
    remove: string[];
  }): Promise<Result<Revision, Fault>>;
  /** above: the highest epoch of this member that was ever seen. */
  claim(above?: number): Promise<Result<number, Fault>>;
  withdraw(gateway: NodeName): Promise<Result<Revision, Fault>>;
  yieldEpoch(): Promise<Result<Revision, Fault>>;
  leave(record: Extract<FromGateway, { t: "leave" }>["record"]): Promise<Result<Revision, Fault>>;
  report(report: Omit<Extract<FromGateway, { t: "report" }>, "t">): void;
  askSnapshot(clusters: Extract<FromGateway, { t: "snapshot" }>["clusters"]): void;
}

/** Wait after a refusal that the same login cannot cure: no retry storm (F39), yet a cured broker is found again. */
const REFUSED_MS = 30_000;
/** Most between two tries, less up to all of it at random: after an outage of any length everybody is back soon, and
 *  not all at once (AWS calls it full jitter). */
const MOST_WAIT_MS = 5000;
/** A session that was live for so long was a good one: the next failure is the first again. */
const SETTLED_MS = 5000;
/** Reports wait where more than this is unsent: they are only about now. */
const REPORT_BYTES = 64 << 10;

export function createSyncClient(options: SyncClientOptions): SyncClient {
  return new Client(options);
}

class Client implements SyncClient {
  readonly name = "sync-client";
  readonly #options: SyncClientOptions;
  readonly #asks = new Asks();
  #line: Line | null = null;
  #state: SessionState = "dialing";
  #loggedIn = false;
  #liveAt: number | null = null;
  #refused: Refused | null = null;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: SyncClientOptions) {
    this.#options = options;
  }

  get state(): SessionState {
    return this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, urls } = this.#options;
    for (let attempt = 0, turn = 0; !signal.aborted; turn += 1) {
      const all = urls();
      const url = all[turn % all.length];
      const settled = url !== undefined && (await this.#session(url, signal));
      if (signal.aborted) return;
      attempt = settled ? 0 : attempt + 1;
      const hopeless = this.#refused?.retry === false;
      const wait = hopeless
        ? REFUSED_MS * (0.5 + random())
        : backoffMs(attempt, random, { firstMs: 200, maxMs: MOST_WAIT_MS });
      await clock.sleep(wait, signal).catch(() => {});
    }
  }

  async publish(ask: Parameters<SyncClient["publish"]>[0]): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask((id) => ({ t: "publish", id, ...ask })));
  }

  async claim(above = 0): Promise<Result<number, Fault>> {
    const answer = await this.#ask((id) => ({ t: "claim", id, above }));
    return answer.ok && answer.value.t === "epoch" ? ok(answer.value.epoch) : err(faultOf(answer));
  }

  async withdraw(gateway: NodeName): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask((id) => ({ t: "withdraw", id, gateway })));
  }

  async yieldEpoch(): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask((id) => ({ t: "yield", id })));
  }

  async leave(record: Parameters<SyncClient["leave"]>[0]): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask((id) => ({ t: "leave", id, record })));
  }

  report(report: Parameters<SyncClient["report"]>[0]): void {
    if (this.#state === "live" && (this.#line?.buffered ?? 0) < REPORT_BYTES)
      this.#line?.send({ t: "report", ...report });
  }

  askSnapshot(clusters: Parameters<SyncClient["askSnapshot"]>[0]): void {
    if (this.#state === "live") this.#line?.send({ t: "snapshot", clusters });
  }

  #ask(message: (id: number) => FromGateway): Promise<Result<Answer, Fault>> {
    const line = this.#state === "live" ? this.#line : null;
    return this.#asks.ask((id) => line?.send(message(id)), line !== null);
  }

  /** One connection, from dialing to its end. Tells whether it was live for a good while. */
  async #session(url: string, signal: AbortSignal): Promise<boolean> {
    const { tls, clock, log, version, timing = TIMING } = this.#options;
    this.#enter("dialing", url);
    this.#refused = null;
    this.#loggedIn = false;
    this.#liveAt = null;
    this.#line = new Line({
      url,
      tls: tls(),
      timing,
      opened: (line) => {
        this.#enter("greeting", url);
        line.send({ t: "hello", protocols: [PROTOCOL.oldest, PROTOCOL.newest], features: [...FEATURES], version });
      },
      heard: (message, line) => this.#take(message, line, url),
      fault: (reason) => log.debug("session fault", { url, reason }),
    });
    await this.#line.hold(signal);
    await this.#queue;
    this.#line = null;
    const liveFor = this.#liveAt === null ? 0 : clock.monotonic() - this.#liveAt;
    this.#enter("dialing", url);
    this.#asks.end();
    return liveFor >= SETTLED_MS;
  }

  #enter(next: SessionState, url: string): void {
    this.#state = next;
    if (next === "live") this.#liveAt = this.#options.clock.monotonic();
    this.#options.state(next, url);
  }

  /** What comes out of turn ends the session: a broker of ours does not send it. */
  #take(message: FromBroker, line: Line, url: string): Promise<void> | undefined {
    const greeting = this.#state === "greeting";
    if (message.t === "challenge" && greeting && !this.#loggedIn) {
      this.#loggedIn = true;
      const nonce = Buffer.from(message.nonce, "base64url");
      line.send(this.#options.login({ exporter: line.binding(), nonce }));
    } else if (message.t === "refused") {
      this.#refused = message;
      this.#options.refused(message);
    } else if (message.t === "welcome" && greeting && this.#loggedIn) {
      this.#options.welcomed(message);
      this.#enter("syncing", url);
      if (message.digest != null) sendMarks(line, this.#options.exchange?.marks(message) ?? null);
      line.send({ t: "sync", cursor: this.#options.cursor() });
    } else if (message.t === "batch" && !greeting) {
      return this.#apply(message, line, url);
    } else if (message.t === "want" && !greeting) {
      return this.#tell(message.keys, line, url);
    } else if (message.t === "silent" && !greeting) {
      this.#options.silent?.(message.gateways);
    } else if (message.t === "ack" || message.t === "nack" || message.t === "epoch") {
      this.#asks.answer(message);
    } else {
      this.#options.log.warn("the broker sent a message out of turn", { url, message: message.t });
      line.hangUp(1008);
    }
    return undefined;
  }

  async #tell(keys: readonly string[], line: Line, url: string): Promise<void> {
    try {
      await tell(line, this.#options.exchange?.records(keys) ?? []);
    } catch (error) {
      this.#options.log.warn("what the broker lacks could not be told", { url, reason: String(error) });
      line.hangUp(1011);
    }
  }

  /** Batches are applied one after the other; after one that failed, none of this session is. */
  #apply(batch: Batch, line: Line, url: string): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#line !== line) return;
      try {
        await this.#options.batch(batch);
        if (!batch.more && this.#state === "syncing") this.#enter("live", url);
      } catch (error) {
        this.#options.log.warn("a batch could not be taken", { url, reason: String(error) });
        this.#line = null;
        line.hangUp(1011);
      }
    });
    return this.#queue;
  }
}

function revisionOf(answer: Result<Answer, Fault>): Result<Revision, Fault> {
  return answer.ok && answer.value.t === "ack" ? ok(answer.value.revision) : err(faultOf(answer));
}

function faultOf(answer: Result<Answer, Fault>): Fault {
  return answer.ok ? { code: "bad-message", message: `the broker answered with ${answer.value.t}` } : answer.error;
}
