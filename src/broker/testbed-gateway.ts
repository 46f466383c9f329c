import type { KeyObject } from "node:crypto";
import { randomUUID } from "node:crypto";
import { brokerTls, createIdentityKey, fingerprintOf } from "#identity";
import { silentLog, systemClock } from "#life";
import { createSyncClient, type Fault, type Refused, type SyncClient } from "#sync";
import type { Cidr, ClusterId, IdentityKey, NodeName, Result, Revision, Uid } from "#values";
import { expect } from "#values";
import {
  type Batch,
  Catalogue,
  type Cursor,
  digestOf,
  type Envelope,
  examine,
  identityKeyObject,
  identityKeyOf,
  type Mark,
  type Order,
  seal,
  Tally,
  unsealed,
  type Welcome,
} from "#wire";
import { exportBody, exportKey } from "./testbed-export.ts";
import { type LoginOptions, loginOf } from "./testbed-login.ts";

export interface TestGatewayOptions extends LoginOptions {
  readonly url: string;
  readonly ca: string;
  readonly cluster?: string;
  readonly name?: string;
  readonly uid?: Uid;
  readonly privateKey?: KeyObject;
  readonly onSilent?: (gateways: readonly NodeName[]) => void;
  /** The gateway of which this is the next run: what that had on its disk, this one begins with. */
  readonly was?: TestGateway;
}

interface Brokerish {
  readonly url: string;
  readonly ca: string;
}

/** TestGateway is a member's gateway without its machine: key, session, and the catalogue that it folds. */
export class TestGateway implements AsyncDisposable {
  readonly cluster: ClusterId;
  readonly name: NodeName;
  readonly uid: Uid;
  readonly privateKey: KeyObject;
  readonly key: IdentityKey;
  readonly catalogue: Catalogue;
  /** The records behind the catalogue, as a gateway's disk has them. */
  readonly records: Map<string, Envelope>;
  readonly batches: Batch[] = [];
  readonly refusals: Refused[] = [];
  readonly client: SyncClient;
  readonly tally: Tally;
  welcome: Welcome | null = null;
  cursor: Cursor | null;
  epoch = 0;
  seq = 0;
  onBatch: (batch: Batch) => Promise<void> | void = () => {};
  readonly options: TestGatewayOptions;
  #wakes: (() => void)[] = [];
  #part: Batch[] = [];
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;

  constructor(options: TestGatewayOptions) {
    this.options = options;
    this.cluster = (options.cluster ?? "amber") as ClusterId;
    this.name = (options.name ?? "gw") as NodeName;
    this.uid = options.uid ?? options.was?.uid ?? (randomUUID() as Uid);
    this.privateKey = options.privateKey ?? options.was?.privateKey ?? createIdentityKey();
    this.catalogue = options.was?.catalogue ?? new Catalogue();
    this.records = options.was?.records ?? new Map();
    this.tally = options.was?.tally ?? new Tally();
    this.key = identityKeyOf(this.privateKey);
    this.cursor = options.was?.cursor ?? null;
    this.epoch = options.was?.epoch ?? 0;
    this.seq = options.was?.seq ?? 0;
    this.client = createSyncClient({
      urls: () => [options.url],
      tls: () => brokerTls(options.ca),
      version: "test",
      clock: systemClock,
      random: () => 1, // dials again at once
      log: silentLog,
      login: (binding) => loginOf(this, options, binding),
      cursor: () => this.cursor,
      exchange: { marks: (welcome) => this.#marks(welcome), records: (keys) => this.#told(keys) },
      welcomed: (welcome) => {
        this.welcome = welcome;
      },
      batch: (batch) => this.#batch(batch),
      silent: (gateways) => {
        options.onSilent?.(gateways);
        this.#wake();
      },
      refused: (refused) => void this.refusals.push(refused),
      state: () => this.#wake(),
    });
    this.#run = this.client.run(this.#stop.signal);
  }

  get fingerprint(): string {
    return fingerprintOf(this.key);
  }

  /** until resolves when something holds; it is asked whenever anything has happened here. */
  async until<T>(holds: () => T | undefined | false | null): Promise<T> {
    for (;;) {
      const found = holds();
      if (found !== undefined && found !== false && found !== null) return found;
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  /** live waits for a session; a refusal is an error. */
  async live(): Promise<this> {
    await this.until(() => this.client.state === "live" || this.refusals.length > 0);
    if (this.client.state !== "live") throw new Error(JSON.stringify(this.refusals));
    return this;
  }

  refused(): Promise<Refused> {
    return this.until(() => this.refusals[0]);
  }

  async claim(): Promise<this> {
    this.epoch = expect(plain(await this.client.claim()));
    this.seq = 0;
    return this;
  }

  /** address is one of the member's own pods, in global addresses. */
  address(last = 7): string {
    const prefix = this.prefix;
    return prefix.replace(/\.0\.0\/\d+$/, `.0.${last}`);
  }

  get prefix(): Cidr {
    const pods = this.catalogue.ledger.holding(this.cluster)?.pods[0];
    if (pods === undefined) throw new Error(`${this.cluster} has no pods`);
    return pods.prefix;
  }

  /** says signs exports (null takes one back) and a head over them, and keeps them as published. */
  says(exports: Readonly<Record<string, string | null>>, order?: Order): { put: Envelope[]; remove: string[] } {
    this.seq += 1;
    const at = order ?? { epoch: this.epoch, seq: this.seq };
    const [put, remove]: [Envelope[], string[]] = [[], []];
    for (const [name, address] of Object.entries(exports)) {
      const key = exportKey(this.cluster, name);
      if (address === null) {
        this.tally.remove(key);
        remove.push(key);
      } else {
        const record = unsealed(key, at, exportBody(name, address));
        this.tally.put(key, at, digestOf(record));
        put.push(record);
      }
    }
    return { put: [...put, this.head(at)], remove };
  }

  head(order: Order): Envelope {
    const body = { ...this.who, count: this.tally.count, root: this.tally.root() };
    return seal(this.privateKey, `head/${this.cluster}`, order, body);
  }

  /** gatewayRecord says how to reach this gateway. */
  gatewayRecord(change: Readonly<Record<string, unknown>> = {}, order: Order = { epoch: 1, seq: 1 }): Envelope {
    const [prefix] = this.catalogue.ledger.holding(this.cluster)?.nodes ?? [];
    const endpoints = Array.from({ length: 8 }, (_, j) => `192.0.2.1:${51820 + j}`);
    const tunnelKey = Buffer.alloc(32, 7).toString("base64");
    const address = prefix?.replace(/0\/24$/, "1");
    const body = {
      ...this.who,
      name: this.name,
      index: this.welcome?.index,
      tunnelKey,
      endpoints,
      address,
      version: "1",
    };
    return seal(this.privateKey, `gateway/${this.cluster}/${this.name}`, order, { ...body, ...change });
  }

  leaveRecord(change: Readonly<Record<string, unknown>> = {}): Envelope {
    const order = { epoch: this.who.generation, seq: 1 };
    return seal(this.privateKey, `leave/${this.cluster}/${this.who.generation}`, order, {
      ...this.who,
      leftAt: 1,
      ...change,
    });
  }

  publish(what: { put: readonly Envelope[]; remove?: readonly string[] }): Promise<Result<Revision, Fault>> {
    return this.client.publish({ put: [...what.put], remove: [...(what.remove ?? [])] });
  }

  get who() {
    return { cluster: this.cluster, uid: this.uid, generation: this.welcome?.generation ?? 1 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
  }

  async #batch(batch: Batch): Promise<void> {
    await this.onBatch(batch);
    this.batches.push(batch);
    this.#part.push(batch);
    if (batch.more) return this.#wake();
    const verifier = identityKeyObject(this.welcome?.allocationKey as IdentityKey);
    const parts = this.#part.splice(0);
    const candidates = parts.flatMap(({ put }) => put.map((envelope) => expect(examine(envelope, verifier))));
    const removed = parts.flatMap(({ remove }) => remove);
    const applied = this.catalogue.apply(candidates, removed, batch.snapshot);
    for (const key of applied.removed) this.records.delete(key);
    for (const envelope of applied.accepted) this.records.set(envelope.key, envelope);
    this.cursor = { store: this.welcome?.store as Uid, revision: batch.revision };
    this.#wake();
  }

  /** As a gateway does it: its own head is for its speaker to say. */
  #marks({ digest }: Welcome): Mark[] | null {
    const { chronicle } = this.catalogue;
    if (digest === chronicle.root()) return null;
    const keys = [...chronicle.keys()].filter((key) => key !== `head/${this.cluster}`);
    return keys.map((key) => ({ key, ...(chronicle.get(key) as Omit<Mark, "key">) }));
  }

  #told(keys: readonly string[]): Envelope[] {
    const heads = new Set(keys.flatMap((key) => (key.startsWith("head/") ? [key.slice(5)] : [])));
    return [...this.records.values()].filter(({ key }) => {
      const [kind = "", cluster = ""] = key.split("/");
      return keys.includes(key) || (heads.has(cluster) && (kind === "export" || kind === "nodes"));
    });
  }

  #wake(): void {
    setImmediate(() => {
      for (const wake of this.#wakes.splice(0)) wake();
    });
  }
}

/** gateway dials a broker. */
export function gateway(to: Brokerish, options: Omit<TestGatewayOptions, "url" | "ca"> = {}): TestGateway {
  return new TestGateway({ url: to.url, ca: to.ca, ...options });
}

/** member joins with a token of its own and speaks for its cluster. */
export async function member(
  to: Brokerish & { invite(): string },
  cluster: string,
  options: Omit<TestGatewayOptions, "url" | "ca"> = {},
): Promise<TestGateway> {
  const made = await gateway(to, { cluster, token: to.invite(), ...options }).live();
  return made.claim();
}

/** again is the same gateway after a restart, as its disk has it: without a token. */
export function again(was: TestGateway, change: Partial<TestGatewayOptions> = {}): TestGateway {
  return new TestGateway({ ...was.options, token: null, was, ...change });
}

/** sibling is another gateway of the same member: it shares the identity and nothing else. */
export function sibling(of: TestGateway, name: string, change: Partial<TestGatewayOptions> = {}): TestGateway {
  const { uid, privateKey } = of;
  return new TestGateway({ ...of.options, token: null, uid, privateKey, name, ...change });
}

function plain<T>(result: Result<T, Fault>): Result<T> {
  return result.ok ? result : { ok: false, error: `${result.error.code}: ${result.error.message}` };
}
