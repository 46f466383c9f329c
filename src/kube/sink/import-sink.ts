import type { Room } from "#life";
import { err, type Ip, ok, type Result } from "#values";
import type { ApiFault } from "../api/fault.ts";
import type { ObjectFollower } from "../api/list-watch.ts";
import { RESOURCES, type Resource } from "../api/resource.ts";
import { derivedKey } from "./derived-name.ts";
import { type Held, type HeldService, heldImport, heldService, heldSlice, sliceOf } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { importObject, serviceObject } from "./import-object.ts";
import type { ImportSinkOptions } from "./import-sink-options.ts";
import { importStatus } from "./import-status.ts";
import { KeyedQueue, type Outcome } from "./keyed-queue.ts";
import type { KubeObject } from "./kube-object.ts";
import { packSlices } from "./pack-slices.ts";
import { type Projection, projectImport, projectService, projectSlice } from "./projection.ts";
import { SliceTable } from "./slice-table.ts";
import type { WantedImport } from "./wanted-import.ts";
import { altered, foreign } from "./write-fault.ts";
import { Writer } from "./writer.ts";

const WORKERS = 8;
const DONE: Outcome = { kind: "done" };

/** ImportSink makes the objects of imported services in the cluster what they are to be (KEP-1645): for each the derived
 *  Service, then the slices, and the ServiceImport last, since a name is announced when it works. What goes, goes in the
 *  opposite order. `have` is what the API server holds; equal objects are not written. */
export class ImportSink implements Room {
  readonly name = "imports";
  readonly #options: ImportSinkOptions;
  readonly #writer: Writer;
  readonly #queue: KeyedQueue;
  readonly #wants = new Map<string, WantedImport>();
  /** Keys by their derived Service's. */
  readonly #derived = new Map<string, string>();
  readonly #goneAt = new Map<string, number>();
  readonly #imports = new HeldObjects(heldImport, (key) => this.#touch(key));
  readonly #services = new HeldObjects(heldService, (key, before, after) => this.#onService(key, before, after));
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
      services: this.#services.follower(heard),
      slices: this.#sliceObjects.follower(heard),
    };
  }

  /** want says what a service is to be here; null: it is no more. */
  want(key: string, wanted: WantedImport | null): void {
    this.#derived.set(derivedKey(key), key);
    if (wanted === null) {
      this.#wants.delete(key);
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

  /** clusterIp is the address that a service has inside this cluster, or had until its Service was deleted: it gets that
   *  again. Null before the first. */
  clusterIp(key: string): Ip | null {
    const [service, held] = [this.#services.get(derivedKey(key)), this.#imports.get(key)];
    if (service?.ours === true) return service.clusterIp;
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
    for (const [key, held] of this.#services.entries()) if (held.ours && !this.#derived.has(key)) gone(`orphan ${key}`);
  }

  #held(): readonly { readonly listed: boolean; readonly away: boolean }[] {
    return [this.#imports, this.#services, this.#sliceObjects];
  }

  #touch(key: string): void {
    if (this.#wants.has(key) || this.#complete) this.#queue.add(key);
  }

  #onService(derived: string, before: HeldService | undefined, after: HeldService | undefined): void {
    const key = this.#derived.get(derived);
    if (key === undefined) return;
    this.#touch(key);
    if (before?.clusterIp !== after?.clusterIp) this.#options.onClusterIp(key);
  }

  async #work(key: string, signal: AbortSignal): Promise<Outcome> {
    if (!this.#options.mayWrite() || !this.listed) {
      this.#owes = true;
      return DONE;
    }
    if (this.#held().some(({ away }) => away)) return { kind: "failed", afterMs: 0 };
    const orphan = /^orphan (.*)$/.exec(key)?.[1];
    if (orphan !== undefined) return this.#removeService(orphan, signal);
    const wanted = this.#wants.get(key);
    if (wanted === undefined) return this.#complete ? this.#withdraw(key, signal) : DONE;
    const { namespace } = wanted.imported;
    if (!this.#options.hasNamespace(namespace)) return DONE;
    return this.#judge(key, await this.#settle(key, wanted, signal));
  }

  /** judge tells of what could not be written, and says when to try again. */
  #judge(key: string, done: Result<number, ApiFault>): Outcome {
    const { troubles } = this.#options;
    if (done.ok) {
      troubles.clear("import-unwritten", key);
      return done.value > 0 ? { kind: "again", afterMs: done.value } : DONE;
    }
    const { code, reason, message, retryAfterMs } = done.error;
    const title = "An imported service cannot be written to the API server";
    troubles.set({
      code: "import-unwritten",
      severity: "warning",
      title,
      subject: key,
      detail: `${reason || code}: ${message}`,
    });
    return { kind: "failed", afterMs: Math.min(retryAfterMs ?? 0, 30_000) };
  }

  /** settle makes all objects of a service; the value is how long to wait before there is more to do. */
  async #settle(key: string, wanted: WantedImport, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.#imports.get(key);
    if (held !== undefined && !held.ours) return err(foreign("ServiceImport", key));
    const service = await this.#settleService(key, wanted, signal);
    if (!service.ok) return service;
    const slices = await this.#settleSlices(key, wanted, signal);
    if (!slices.ok) return slices;
    const ips = wanted.imported.type === "Headless" || service.value.ip === null ? [] : [service.value.ip];
    const object = importObject(wanted.imported, ips);
    const made = await this.#write(RESOURCES.serviceImports, object, this.#imports, projectImport, signal);
    if (!made.ok) return made;
    const status = await this.#settleStatus(key, wanted, signal);
    if (!status.ok) return status;
    return ok(Math.max(service.value.waitMs, slices.value, made.value, status.value));
  }

  async #settleService(
    key: string,
    { imported, ready }: WantedImport,
    signal: AbortSignal,
  ): Promise<Result<{ readonly ip: Ip | null; readonly waitMs: number }, ApiFault>> {
    const derived = derivedKey(key);
    const held = this.#services.get(derived);
    if (imported.type === "Headless" || ready.status === "False") {
      if (held?.ours === true) await this.#writer.remove(RESOURCES.services, held.meta, signal);
      return ok({ ip: null, waitMs: 0 });
    }
    if (held !== undefined && !held.ours) return err(foreign("Service", derived));
    const before = held?.clusterIp ?? this.#imports.get(key)?.ips[0] ?? null;
    const write = (ip: Ip | null): Promise<Result<number, ApiFault>> =>
      this.#write(RESOURCES.services, serviceObject(imported, ip), this.#services, projectService, signal);
    let made = await write(before);
    // The address of before is somebody else's by now, or the cluster's range is another.
    if (!made.ok && made.error.code === 422 && held === undefined && before !== null) made = await write(null);
    return made.ok ? ok({ ip: this.clusterIp(key), waitMs: made.value }) : made;
  }

  async #settleSlices(key: string, wanted: WantedImport, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.#slices.of(key);
    const objects = packSlices(wanted, held.map(sliceOf));
    let waitMs = 0;
    for (const object of objects) {
      const made = await this.#write(RESOURCES.endpointSlices, object, this.#sliceObjects, projectSlice, signal);
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
    const status = importStatus(wanted, { held, now, tellsSlices: this.#tellsSlices });
    if (status === null) return ok(0);
    const options = { held: held.meta, subresource: "status", signal } as const;
    const done = await this.#writer.apply(RESOURCES.serviceImports, status, options);
    if (done.ok) this.#imports.put(key, done.value);
    if (done.ok || !this.#tellsSlices || !/not declared in schema/.test(done.error.message))
      return done.ok ? ok(0) : done;
    this.#tellsSlices = false; // an older CRD
    return this.#settleStatus(key, wanted, signal);
  }

  /** write applies an object unless it is there as it is to be; the value is how long it must be left alone before. */
  async #write<T extends Held>(
    resource: Resource,
    object: KubeObject,
    objects: HeldObjects<T>,
    project: (object: unknown) => Projection,
    signal: AbortSignal,
  ): Promise<Result<number, ApiFault>> {
    const { namespace, name } = object.metadata;
    const key = `${namespace}/${name}`;
    const held = objects.get(key);
    const wanted = project(object);
    if (held?.projection === wanted) return ok(0);
    if (held !== undefined && !held.ours) return err(foreign(resource.kind, key));
    const waitMs = this.#writer.waitMs(resource, object.metadata);
    if (waitMs > 0) return ok(waitMs);
    const done = await this.#writer.apply(resource, object, { held: held?.meta ?? null, signal });
    if (!done.ok) return done;
    const after = objects.put(key, done.value);
    return after?.projection === wanted ? ok(0) : err(altered(resource.kind, key));
  }

  /** The name goes at once; its Service and slices when no client remembers it. */
  async #withdraw(key: string, signal: AbortSignal): Promise<Outcome> {
    const held = this.#imports.get(key);
    if (held?.ours === true) {
      const gone = await this.#writer.remove(RESOURCES.serviceImports, held.meta, signal);
      if (!gone.ok) return this.#judge(key, gone);
      this.#imports.remove(key);
    }
    const { clock, lingerMs } = this.#options;
    const left = (this.#goneAt.get(key) ?? Number.NEGATIVE_INFINITY) + lingerMs - clock.monotonic();
    if (left > 0) return { kind: "again", afterMs: left };
    for (const { meta } of this.#slices.of(key)) {
      const gone = await this.#writer.remove(RESOURCES.endpointSlices, meta, signal);
      if (!gone.ok) return this.#judge(key, gone);
    }
    this.#goneAt.delete(key);
    this.#options.troubles.clear("import-unwritten", key);
    return this.#removeService(derivedKey(key), signal);
  }

  async #removeService(derived: string, signal: AbortSignal): Promise<Outcome> {
    const held = this.#services.get(derived);
    if (held?.ours !== true) return DONE;
    const gone = await this.#writer.remove(RESOURCES.services, held.meta, signal);
    return this.#judge(derived, gone.ok ? ok(0) : gone);
  }
}
