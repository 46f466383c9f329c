import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIdentityKey } from "#identity";
import { Ipam } from "#ipam";
import { type Clock, createLog, type Log, runAll } from "#life";
import { MemoryStore } from "#store";
import { type Cidr, type ClusterId, expect, type Ip, type Millis, millis } from "#values";
import { Authority } from "./authority.ts";
import { Book } from "./book.ts";
import { type Broker, type BrokerOptions, openBroker } from "./broker.ts";
import { restore } from "./restore.ts";

export const SUPERNET = "242.0.0.0/8" as Cidr;
export const DAY = 86_400_000 as Millis;

/** SimClock stands still until a test moves it; who sleeps is woken when its time has come. */
export class SimClock implements Clock {
  #now: number;
  #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(start = Date.now()) {
    this.#now = start;
  }

  now(): Millis {
    return millis(this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(span: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#sleepers.push({ at: this.#now + span, wake: resolve });
    });
  }

  advance(span: number): void {
    this.#now += span;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}

/** memoryBook is a broker's book on a store that forgets, for tests of its parts. */
export function memoryBook(clock: Clock = new SimClock(), quarantineMs: Millis = DAY): Book & { store: MemoryStore } {
  const store = new MemoryStore();
  const authority = new Authority(createIdentityKey(), store);
  const ipam = new Ipam({ supernets: [SUPERNET], quarantineMs });
  return new Book({ store, ipam, authority, clock, log: createLog("json", "error", process.stderr) }) as never;
}

/** TestBroker is a whole broker in a folder of its own, on a free port of the loopback. */
export class TestBroker implements AsyncDisposable {
  dir: string;
  readonly #former: string[] = [];
  readonly clock: SimClock;
  /** What it logged, as one text. */
  logged = "";
  broker!: Broker;
  port = 0;
  #stop = new AbortController();
  #run: Promise<void> = Promise.resolve();
  readonly #change: Partial<BrokerOptions>;

  private constructor(change: Partial<BrokerOptions>) {
    this.dir = mkdtempSync(join(tmpdir(), "meridian-broker-"));
    this.clock = new SimClock();
    this.#change = change;
  }

  static async open(change: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const made = new TestBroker(change);
    await made.start();
    return made;
  }

  get log(): Log {
    const write = (line: string): void => {
      this.logged += line;
    };
    return createLog("json", "debug", { write });
  }

  get url(): string {
    return `wss://127.0.0.1:${this.port}`;
  }

  get ca(): string {
    return readFileSync(join(this.dir, "ca.crt"), "utf8");
  }

  options(): BrokerOptions {
    return {
      dataDir: this.dir,
      listen: { host: "127.0.0.1" as Ip, port: this.port },
      advertise: "wss://127.0.0.1:7443",
      http: null,
      supernets: [SUPERNET],
      quarantineMs: DAY,
      acceptLoss: false,
      version: "test",
      ...this.#change,
    };
  }

  async start(): Promise<void> {
    this.broker = expect(openBroker(this.options(), this.clock, this.log));
    this.#stop = new AbortController();
    this.#run = runAll([this.broker], this.#stop.signal);
    this.port = await this.broker.port;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }

  /** backup writes what an operator would keep. */
  async backup(): Promise<string> {
    const path = join(this.dir, `backup-${crypto.randomUUID()}`);
    expect(await this.broker.backup(path));
    return path;
  }

  /** restore stops the broker for good, and starts another from a backup, at the same place. */
  async restore(file: string, acceptLoss = false): Promise<void> {
    await this.stop();
    const dir = mkdtempSync(join(tmpdir(), "meridian-broker-"));
    this.#former.push(this.dir);
    expect(restore({ file, dir, acceptLoss, clock: this.clock, log: this.log }));
    this.dir = dir;
    await this.start();
  }

  /** restart comes back on the same port, data and clock. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  invite({
    cluster = null,
    uses = 1,
    ttlMs = 900_000,
  }: {
    cluster?: string | null;
    uses?: number;
    ttlMs?: number;
  } = {}): string {
    const made = this.broker.desk.invite({ cluster: cluster as ClusterId | null, uses, ttlMs }, "test");
    if (!made.ok) throw new Error(made.error.message);
    return made.value.token;
  }

  /** Audit lines as `actor action subject outcome detail`. */
  audit(): string[] {
    return this.broker.desk
      .audit(0, 10_000)
      .map((row) => `${row.actor} ${row.action} ${row.subject} ${row.outcome} ${row.detail}`);
  }

  /** What a refused request must leave as it was. */
  state(): unknown {
    const { desk } = this.broker;
    return {
      revision: desk.revision(),
      records: [...desk.records()].sort((a, b) => (a.envelope.key < b.envelope.key ? -1 : 1)),
      allocations: desk.allocations(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const dir of [this.dir, ...this.#former]) rmSync(dir, { recursive: true, force: true });
  }
}
