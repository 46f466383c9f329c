import type { Room } from "#life";
import { err, type Ip, ok, type Result } from "#values";
import type { ApiFault } from "../api/fault.ts";
import type { ObjectFollower } from "../api/list-watch.ts";
import { RESOURCES } from "../api/resource.ts";
import { type ClustersetIp, clustersetIpOf } from "../clusterset-ip.ts";
import { DerivedServices } from "./derived-services.ts";
import { FreshAddresses } from "./fresh-addresses.ts";
import { type HeldImport, heldImport, heldSlice, sliceOf } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { importObject } from "./import-object.ts";
import type { ImportSinkOptions } from "./import-sink-options.ts";
import { importStatus } from "./import-status.ts";
import { judge } from "./judge.ts";
import { KeyedQueue, type Outcome } from "./keyed-queue.ts";
import { packSlices } from "./pack-slices.ts";
import { projectImport, projectSlice } from "./projection.ts";
import { SliceTable } from "./slice-table.ts";
import { tellAsked } from "./tell-asked.ts";
import type { WantedImport } from "./wanted-import.ts";
import { foreign } from "./write-fault.ts";
import { writeObject } from "./write-object.ts";
import { Writer } from "./writer.ts";

const WORKERS = 8;
/** kube-proxy has a new Service, and that it has endpoints, by then: it looks once a second, less often in large clusters. */
const TAKEN_UP_MS = 3000;
const DONE: Outcome = { kind: "done" };

/** ImportSink makes the objects of imported services in the cluster what they are to be (KEP-1645): for each the derived
 *  Service (unless its clusterset IP is the service address), then the slices, and the ServiceImport last, since a name is
 *  announced when it works. What goes, goes in the opposite order. `have` is what the API server holds; equal objects are
 *  not written. */
export class ImportSink implements Room {
  readonly name = "imports";
  readonly #options: ImportSinkOptions;
  readonly #writer: Writer;
  readonly #queue: KeyedQueue;
  readonly #wants = new Map<string, WantedImport>();
  readonly #goneAt = new Map<string, number>();
  readonly #imports = new HeldObjects(heldImport, (key, before, after) => this.#onImport(key, before, after));
  readonly #services: DerivedServices;
  readonly #fresh: FreshAddresses;
  readonly #slices = new SliceTable();
  readonly #sliceObjects = new HeldObjects(heldSlice, (key, before, after) => {
    for (const touched of this.#slices.move(key, before, after)) this.#touch(touched);
  });
  #complete = false;
  #owes = false;
  #tellsSlices = true;

  constructor(options: ImportSinkOptions) {
    this.#options = options;
    this.#writer = new Writer(options.api, options.clock);
    const { clock, random } = options;
    this.#services = new DerivedServices(this.#writer, clock, (key, address) => {
      this.#touch(key);
      if (address) options.onAddress(key);
    });
    this.#fresh = new FreshAddresses(clock, options.spreadMs);
    const work = (key: string, signal: AbortSignal): Promise<Outcome> => this.#work(key, signal);
    this.#queue = new KeyedQueue({ name: this.name, clock, random, workers: WORKERS, work });
  }

  /** listed is true once everything that is there is known. */
  get listed(): boolean {
    return this.#held().every(({ listed }) => listed);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /** followers keep the sink's knowledge up to date: each hears all objects of its kind. */
  followers(): Readonly<Record<"imports" | "services" | "slices", ObjectFollower>> {
    const heard = { listed: () => this.#sweep(), back: () => this.#queue.hurry() };
    return {
      imports: this.#imports.follower(heard),
      services: this.#services.held.follower(heard),
      slices: this.#sliceObjects.follower(heard),
    };
  }

  /** want says what a service is to be here; null: it is no more. */
  want(key: string, wanted: WantedImport | null): void {
    this.#services.know(key);
    if (wanted === null) {
      this.#wants.delete(key);
      this.#fresh.forget(key);
      this.#goneAt.set(key, this.#options.clock.monotonic());
    } else {
      this.#wants.set(key, wanted);
      this.#goneAt.delete(key);
    }
    this.#queue.add(key);
  }

  /** complete says that everything wanted is known: what else there is of ours is to go. */
  complete(): void {
    this.#complete = true;
    this.#sweep();
  }

  /** owes is true where something was passed over because this gateway could not write yet: see again. */
  get owes(): boolean {
    return this.#owes;
  }

  /** again looks at everything again: this gateway may write now, or a namespace is there. */
  again(): void {
    this.#owes = false;
    for (const key of this.#wants.keys()) this.#queue.add(key);
    this.#sweep();
  }

  /** answer is the address that a service's name has inside this cluster: its service address once the import says so and
   *  other nodes have heard of that, else its derived Service's, or what that had until it was deleted: it gets that again.
   *  Null before the first. */
  answer(key: string, address: Ip | null): Ip | null {
    const [service, said] = [this.#services.of(key), this.#said(key)];
    if (address !== null && said === address) {
      if (this.#fresh.may(key, address)) return address;
      this.#queue.add(key); // which finds when the time has come
      return service?.clusterIp ?? null;
    }
    if (service !== undefined) return service.clusterIp;
    return said ?? (this.#fresh.has(key, address) ? address : null); // an import that was deleted comes back
  }

  /** What the import says; null while there is none of ours. */
  #said(key: string): Ip | null {
    const held = this.#imports.get(key);
    return held?.ours === true ? (held.ips[0] ?? null) : null;
  }

  /** sweep finds what is ours and not wanted. */
  #sweep(): void {
    if (!this.#complete || !this.listed) return;
    const gone = (key: string): void => {
      if (!this.#wants.has(key)) this.#queue.add(key);
    };
    for (const [key, held] of this.#imports.entries()) if (held.ours) gone(key);
    for (const key of this.#slices.keys()) gone(key);
    for (const name of this.#services.orphans()) gone(`orphan ${name}`);
  }

  #held(): readonly { readonly listed: boolean; readonly away: boolean }[] {
    return [this.#imports, this.#services.held, this.#sliceObjects];
  }

  #touch(key: string): void {
    if (this.#wants.has(key) || this.#complete) this.#queue.add(key);
  }

  #onImport(key: string, before: HeldImport | undefined, after: HeldImport | undefined): void {
    this.#touch(key);
    const { troubles, clustersetIp } = this.#options;
    tellAsked(troubles, { key, asked: after?.ours === true ? after.asked : null, otherwise: clustersetIp });
    const [was, is] = [before?.ips[0], after?.ips[0]];
    // That an import has the address of its Service is no news: it has it from there.
    const news = before !== undefined || is !== this.#services.of(key)?.clusterIp;
    if (was !== is && news) this.#options.onAddress(key);
  }

  /** What the clusterset IP of a service is to be: what its users ask for counts before what the cluster has. A Service that
   *  is there stays until there is another address to have. */
  #kindOf(key: string, address: Ip | null): ClustersetIp {
    if (address === null && this.#services.of(key) !== undefined) return "derived";
    return clustersetIpOf(this.#imports.get(key)?.asked ?? "") ?? this.#options.clustersetIp;
  }

  async #work(key: string, signal: AbortSignal): Promise<Outcome> {
    const waitMs = this.#fresh.waitMs(key);
    if (waitMs === 0) this.#options.onAddress(key);
    const outcome = await this.#write(key, signal);
    if (waitMs === null || waitMs === 0 || outcome.kind === "failed") return outcome;
    return { kind: "again", afterMs: outcome.kind === "done" ? waitMs : Math.min(waitMs, outcome.afterMs) };
  }

  async #write(key: string, signal: AbortSignal): Promise<Outcome> {
    if (!this.#options.mayWrite() || !this.listed) {
      this.#owes = true;
      return DONE;
    }
    if (this.#held().some(({ away }) => away)) return { kind: "failed", afterMs: 0 };
    const orphan = /^orphan (.*)$/.exec(key)?.[1];
    if (orphan !== undefined) return judge(this.#options.troubles, orphan, await this.#services.remove(orphan, signal));
    const wanted = this.#wants.get(key);
    if (wanted === undefined) return this.#complete ? this.#withdraw(key, signal) : DONE;
    const { namespace } = wanted.imported;
    if (!this.#options.hasNamespace(namespace)) return DONE;
    return judge(this.#options.troubles, key, await this.#settle(key, wanted, signal));
  }

  /** settle makes all objects of a service; the value is how long to wait before there is more to do. */
  async #settle(key: string, wanted: WantedImport, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.#imports.get(key);
    if (held !== undefined && !held.ours) return err(foreign("ServiceImport", key));
    const service = await this.#settleService(key, wanted, signal);
    if (!service.ok) return service;
    const slices = await this.#settleSlices(key, wanted, signal);
    if (!slices.ok) return slices;
    const { ip, hasService, waitMs } = service.value;
    const imports = { resource: RESOURCES.serviceImports, objects: this.#imports, project: projectImport };
    const object = importObject(wanted.imported, ip === null ? [] : [ip], hasService);
    const made = await writeObject(this.#writer, imports, object, signal);
    if (!made.ok) return made;
    const status = await this.#settleStatus(key, wanted, signal);
    if (!status.ok) return status;
    return ok(Math.max(waitMs, slices.value, made.value, status.value));
  }

  /** settleService sees that there is a derived Service where there is to be one, and none elsewhere; it gives the
   *  service's address in this cluster. */
  async #settleService(
    key: string,
    { imported, ready, address }: WantedImport,
    signal: AbortSignal,
  ): Promise<Result<Settled, ApiFault>> {
    const usable = imported.type === "ClusterSetIP" && ready.status !== "False";
    const said = this.#said(key);
    if (usable && this.#kindOf(key, address) === "derived") {
      const changes = said !== null && said === address;
      const made = await this.#services.settle(imported, changes ? null : said, signal);
      if (!made.ok) return made;
      const left = changes ? TAKEN_UP_MS - this.#services.ageMs(key) : 0;
      // Until its Service is known everywhere, the import keeps the address that works.
      return left > 0 ? ok({ ip: address, hasService: false, waitMs: left }) : ok({ ...made.value, hasService: true });
    }
    // Clients remember the Service's address a while after the import has another.
    const stays = usable && said !== null && said === this.#services.of(key)?.clusterIp;
    const left = stays ? ok(0) : await this.#services.retire(key, usable ? this.#options.lingerMs : 0, signal);
    return left.ok ? ok({ ip: usable ? address : null, hasService: false, waitMs: left.value }) : left;
  }

  async #settleSlices(key: string, wanted: WantedImport, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.#slices.of(key);
    const service = this.#services.of(key)?.meta.name ?? null; // one that is to go, too, while clients remember it
    const objects = packSlices(wanted, held.map(sliceOf), service);
    const slices = { resource: RESOURCES.endpointSlices, objects: this.#sliceObjects, project: projectSlice };
    let waitMs = 0;
    for (const object of objects) {
      const made = await writeObject(this.#writer, slices, object, signal);
      if (!made.ok) return made;
      waitMs = Math.max(waitMs, made.value);
    }
    const names = new Set(objects.map(({ metadata }) => metadata.name));
    for (const { meta } of held.filter(({ meta }) => !names.has(meta.name))) {
      const gone = await this.#writer.remove(RESOURCES.endpointSlices, meta, signal);
      if (!gone.ok) return gone;
    }
    return ok(waitMs);
  }

  async #settleStatus(key: string, wanted: WantedImport, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.#imports.get(key);
    if (held === undefined) return ok(0);
    const now = this.#options.clock.now();
    const { imported, address } = wanted;
    const pending = imported.type === "ClusterSetIP" && address === null && this.#kindOf(key, null) === "global";
    const status = importStatus(wanted, { held, now, pending, tellsSlices: this.#tellsSlices });
    if (status === null) return ok(0);
    const options = { held: held.meta, subresource: "status", signal } as const;
    const done = await this.#writer.apply(RESOURCES.serviceImports, status, options);
    if (done.ok) this.#imports.answered(key, done.value);
    if (done.ok || !this.#tellsSlices || !/not declared in schema/.test(done.error.message))
      return done.ok ? ok(0) : done;
    this.#tellsSlices = false; // an older CRD
    return this.#settleStatus(key, wanted, signal);
  }

  /** The name goes at once; its Service and slices when no client remembers it. */
  async #withdraw(key: string, signal: AbortSignal): Promise<Outcome> {
    const held = this.#imports.get(key);
    if (held?.ours === true) {
      const gone = await this.#writer.remove(RESOURCES.serviceImports, held.meta, signal);
      if (!gone.ok) return judge(this.#options.troubles, key, gone);
      this.#imports.remove(key);
    }
    const { clock, lingerMs } = this.#options;
    const left = (this.#goneAt.get(key) ?? Number.NEGATIVE_INFINITY) + lingerMs - clock.monotonic();
    if (left > 0) return { kind: "again", afterMs: left };
    for (const { meta } of this.#slices.of(key)) {
      const gone = await this.#writer.remove(RESOURCES.endpointSlices, meta, signal);
      if (!gone.ok) return judge(this.#options.troubles, key, gone);
    }
    this.#goneAt.delete(key);
    return judge(this.#options.troubles, key, await this.#services.retire(key, 0, signal));
  }
}

/** Settled is what became of a derived Service. */
interface Settled {
  /** The address that the import is to have. */
  readonly ip: Ip | null;
  /** Whether the import is to name a Service. */
  readonly hasService: boolean;
  readonly waitMs: number;
}
