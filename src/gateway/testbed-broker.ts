import { type Clock, silentLog, Troubles } from "#life";
import type { SessionState, SyncClient } from "#sync";
import { err, type NodeName, ok, type Result, type Revision } from "#values";
import { Catalogue, compareOrder, type Envelope, underHead } from "#wire";
import { type Cache, openCache } from "./cache.ts";
import { Follower } from "./follower.ts";
import { Speaker, type Statement } from "./speaker.ts";
import { candidatesOf, STORE, type TestMember, verifier } from "./testbed.ts";

type Fault = { readonly code: string; readonly message: string };
type Ask = Parameters<SyncClient["publish"]>[0];

/** FakeBroker judges publications as the broker does, and sends every change back to whoever is connected. */
export class FakeBroker {
  catalogue = new Catalogue();
  readonly published: Ask[] = [];
  readonly entries = new Map<string, Envelope>();
  /** Who may speak: the epoch it holds, or null for another gateway of the member. */
  epoch = 0;
  speaks = true;
  /** The next publication is taken, but its answer never comes. */
  loseAnswer = false;
  revision = 1;
  snapshots = 0;
  yielded = 0;
  readonly withdrawn: NodeName[] = [];
  #rig: Rig | null = null;
  #since = new Map<string, number>();
  readonly #member: TestMember;

  constructor(member: TestMember, ...records: readonly Envelope[]) {
    this.#member = member;
    this.#take(records, []);
  }

  /** connect is a login: welcome, everything that the gateway lacks, then live. */
  async connect(rig: Rig): Promise<void> {
    const { follower, speaker } = rig;
    this.#rig = rig;
    const head = this.catalogue.members.get(this.#member.cluster)?.head ?? null;
    follower.welcomed(STORE);
    speaker.welcomed(head === null ? null : { order: head.order, root: head.body.root });
    rig.state = "syncing";
    const cursor = follower.cursor;
    const put = [...this.entries.values()].filter(({ key }) => (this.#since.get(key) ?? 0) > (cursor?.revision ?? 0));
    // The removals of the diff: what the gateway may still hold, and the broker does not.
    const remove = [...follower.ownBodies.keys()].filter((key) => cursor !== null && !this.entries.has(key));
    await this.#send({ put, remove, snapshot: cursor === null });
    rig.state = "live";
    speaker.changed([]);
  }

  disconnect(): void {
    if (this.#rig !== null) this.#rig.state = "dialing";
    this.#rig = null;
  }

  publish(rig: Rig, ask: Ask): Result<Revision, Fault> {
    if (rig.state !== "live" || this.#rig !== rig) return err({ code: "broker-away", message: "away" });
    this.published.push(ask);
    const fault = this.#judge(ask);
    if (this.loseAnswer) {
      this.loseAnswer = false;
      this.disconnect();
      return err({ code: "broker-away", message: "the answer was lost" });
    }
    return fault === undefined ? ok(this.revision as Revision) : err(fault);
  }

  claim(rig: Rig): Result<number, Fault> {
    if (rig.state !== "live") return err({ code: "broker-away", message: "away" });
    if (!this.speaks) return err({ code: "taken", message: "another gateway speaks" });
    this.epoch += 1;
    return ok(this.epoch);
  }

  yieldEpoch(rig: Rig): Result<Revision, Fault> {
    if (rig.state !== "live") return err({ code: "broker-away", message: "away" });
    this.yielded += 1;
    return ok(this.revision as Revision);
  }

  withdraw(gateway: NodeName): Result<Revision, Fault> {
    this.withdrawn.push(gateway);
    return ok(this.revision as Revision);
  }

  snapshot(rig: Rig, clusters: readonly string[]): void {
    if (rig.state !== "live") return;
    this.snapshots += 1;
    const put = [...this.entries.values()].filter(({ key }) => clusters.includes(key.split("/")[1] ?? ""));
    void this.#send({ put, remove: [], snapshot: true });
  }

  #judge({ put, remove }: Ask): Fault | undefined {
    const head = put.find(({ key }) => key.startsWith("head/"));
    if (head !== undefined && (!this.speaks || head.order.epoch !== this.epoch)) {
      return { code: "not-speaker", message: "not the epoch that was granted" };
    }
    const owned = put.some(({ key }) => underHead(key.slice(0, key.indexOf("/")) as "export")) || remove.length > 0;
    if (owned && head === undefined) return { code: "no-head", message: "no head" };
    const held = head === undefined ? undefined : this.catalogue.orderOf(head.key);
    if (head !== undefined && held !== undefined && compareOrder(head.order, held) < 0) {
      return { code: "stale", message: "an old head" };
    }
    return this.#take(put, remove);
  }

  #take(put: readonly Envelope[], remove: readonly string[]): Fault | undefined {
    const applied = this.catalogue.apply(candidatesOf(...put), remove);
    if (applied.accepted.length > 0 || applied.removed.length > 0) {
      this.revision += 1;
      for (const key of applied.removed) this.entries.delete(key);
      for (const envelope of applied.accepted) {
        this.entries.set(envelope.key, envelope);
        this.#since.set(envelope.key, this.revision);
      }
      void this.#send({ put: applied.accepted, remove: applied.removed, snapshot: false });
    }
    const fault = applied.refusals[0];
    return fault === undefined ? undefined : { code: fault.code, message: fault.message };
  }

  #send(batch: { put: readonly Envelope[]; remove: readonly string[]; snapshot: boolean }): Promise<void> {
    if (this.#rig === null) return Promise.resolve();
    const { follower } = this.#rig;
    return follower.batch({
      ...batch,
      put: [...batch.put],
      remove: [...batch.remove],
      more: false,
      revision: this.revision as Revision,
    });
  }
}

/** Rig is one run of a gateway's follower and speaker, over what is on its disk. */
export class Rig {
  state: SessionState = "dialing";
  readonly cache: Cache;
  readonly follower: Follower;
  readonly speaker: Speaker;
  readonly troubles = new Troubles();
  /** What the manifests say, by record key; a key that is not there is taken back. */
  readonly wanted: Map<string, unknown>;
  synced = true;
  /** A file that cannot be read: absence proves nothing. */
  unread = false;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: {
    member: TestMember;
    broker: FakeBroker;
    dir: string;
    clock: Clock;
    wanted?: Map<string, unknown>;
  }) {
    const { member, broker, dir, clock } = parts;
    this.wanted = parts.wanted ?? new Map();
    const cache = openCache(dir);
    if (!cache.ok) throw new Error(cache.error);
    this.cache = cache.value;
    const common = { cache: this.cache, log: silentLog, troubles: this.troubles };
    this.follower = new Follower({ own: member.cluster, verifier: () => verifier, ...common });
    this.speaker = new Speaker({
      ...{ cluster: member.cluster, privateKey: member.privateKey, follower: this.follower, clock, log: silentLog },
      troubles: this.troubles,
      client: this.#clientOf(broker),
      keys: () => this.wanted.keys(),
      states: () => (key) => this.#stateOf(key),
      published: () => {},
      canSpeak: () => this.synced && this.follower.synced,
    });
    this.follower.ownEpoch = () => this.speaker.epoch;
    this.follower.onOwnSnapshot = (records) => this.speaker.snapshot(records);
    this.follower.onMismatch = (clusters) => broker.snapshot(this, clusters);
    this.follower.onApplied(({ removed }) => this.speaker.changed(removed.filter((key) => key.startsWith("export/"))));
  }

  /** start reads the disk and runs the speaker, which looks at everything that the manifests say. */
  async start(): Promise<void> {
    await this.follower.load();
    this.speaker.changed([...this.wanted.keys(), ...this.follower.ownBodies.keys()]);
    this.#running = this.speaker.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.state = "dialing";
    this.#stop.abort();
    await this.#running;
    this.cache.close();
  }

  /** say changes the manifests. */
  say(exports: Readonly<Record<string, unknown>>): void {
    for (const [key, body] of Object.entries(exports)) {
      if (body === null) this.wanted.delete(key);
      else this.wanted.set(key, body);
    }
    this.speaker.changed(Object.keys(exports));
  }

  #stateOf(key: string): Statement | undefined {
    const body = this.wanted.get(key);
    if (body === undefined && this.unread) return undefined;
    return { key, body: body ?? null };
  }

  #clientOf(broker: FakeBroker) {
    const rig = this;
    return {
      get state() {
        return rig.state;
      },
      publish: async (ask: Ask) => broker.publish(rig, ask),
      claim: async () => broker.claim(rig),
      yieldEpoch: async () => broker.yieldEpoch(rig),
      withdraw: async (gateway: NodeName) => broker.withdraw(gateway),
      askSnapshot: (clusters: readonly string[]) => broker.snapshot(rig, clusters),
    };
  }
}
