import { type Clock, type Log, runAll, type Troubles } from "#life";
import type { ApiServer } from "./api/api-server.ts";
import { ListWatch, type ObjectFollower } from "./api/list-watch.ts";
import { RESOURCES, type Resource, rightOf } from "./api/resource.ts";
import { type ExportMarker, markedExport } from "./export-marker.ts";
import { ManifestIndex } from "./manifest-index.ts";
import { emptyFile } from "./manifest-object.ts";
import type { ManifestSource } from "./manifest-source.ts";
import type { ManifestChange, Manifests } from "./manifests.ts";
import { readObject } from "./read-object.ts";
import { isOurs, part } from "./sink/projection.ts";
import { tellUnread } from "./tell-unread.ts";
import { LABEL } from "./well-known.ts";

export interface KubernetesSourceOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly random: () => number;
  /** What a gateway reads, or what a responder alone does. */
  readonly reads: "exports" | "imports";
  /** Marks on Services that export them as a ServiceExport would. */
  readonly markers: readonly ExportMarker[];
  /** Who else hears of objects, so that each kind is watched once. */
  readonly sinks: SinkFollowers | null;
}

/** SinkFollowers hear of the objects that we write: of ours, and of those that stand where ours would. */
export interface SinkFollowers {
  readonly imports: ObjectFollower;
  readonly services: ObjectFollower;
  readonly slices: ObjectFollower;
  readonly exports: ObjectFollower;
}

interface Followed {
  readonly resource: Resource;
  readonly labelSelector?: string;
  readonly page: number;
  readonly sink?: keyof SinkFollowers;
  /** Whether the source takes an object; absent: all. */
  readonly takes?: (object: unknown) => boolean;
}

/** One watch for each kind. */
const FOLLOWED: Readonly<Record<KubernetesSourceOptions["reads"], readonly Followed[]>> = {
  exports: [
    { resource: RESOURCES.namespaces, page: 500 },
    { resource: RESOURCES.nodes, page: 100 },
    { resource: RESOURCES.services, page: 500, sink: "services", takes: (object) => !isOurs(object) },
    // Slices of imports hold what others export, whoever made them.
    { resource: RESOURCES.endpointSlices, page: 100, sink: "slices", takes: (object) => !isImported(object) },
    { resource: RESOURCES.serviceExports, page: 500, sink: "exports" },
    { resource: RESOURCES.serviceImports, page: 500, sink: "imports", takes: () => false },
  ],
  imports: [
    { resource: RESOURCES.namespaces, page: 500 },
    { resource: RESOURCES.serviceImports, page: 500 },
    { resource: RESOURCES.endpointSlices, page: 100, labelSelector: LABEL.imported },
  ],
};
/** Exports rebuilt and told of at a time. */
const BATCH = 200;

/** createKubernetesSource reads what a live cluster exports, and follows its changes: the same as a folder of
 *  manifests, where each object of the API server is a file of its own. */
export function createKubernetesSource(options: KubernetesSourceOptions): ManifestSource {
  return new ApiSource(options);
}

class ApiSource implements ManifestSource {
  readonly name = "kubernetes";
  readonly synced: Promise<void>;
  readonly #options: KubernetesSourceOptions;
  readonly #index = new ManifestIndex();
  readonly #listeners: ((change: ManifestChange) => void)[] = [];
  /** Kinds that were never listed, by their rights' names. */
  readonly #unlisted: Set<string>;
  readonly #resolveSynced: () => void;
  #isSynced = false;
  #flushing = false;
  #toldOthers = 0;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
    this.#unlisted = new Set(FOLLOWED[options.reads].map(({ resource }) => rightOf(resource)));
    for (const name of this.#unlisted) this.#index.markUnread(name);
  }

  onChange(listener: (change: ManifestChange) => void): void {
    this.#listeners.push(listener);
  }

  current(): Manifests {
    return this.#index.manifests;
  }

  run(signal: AbortSignal): Promise<void> {
    const { api, clock, log, random, reads } = this.#options;
    const watches = FOLLOWED[reads].map((followed) => {
      const { resource, page, labelSelector } = followed;
      const select = labelSelector === undefined ? {} : { labelSelector };
      const follower = this.#follower(followed);
      return new ListWatch({ api, clock, log, random, resource, follower, page, ...select });
    });
    return runAll(watches, signal);
  }

  /** follower tells each object to the source, to a sink, or to both; who is not told of it any more hears that it is
   *  gone. */
  #follower({ resource, sink, takes }: Followed): ObjectFollower {
    const right = rightOf(resource);
    const file = (key: string): string => `${resource.kind} ${key}`;
    const other = sink === undefined ? undefined : this.#options.sinks?.[sink];
    return {
      put: (key, object) => {
        const taken = takes?.(object) !== false;
        if (taken) this.#put(file(key), object);
        else this.#remove(file(key));
        if (resource === RESOURCES.services) this.#mark(key, taken ? object : {});
        if (resource !== RESOURCES.services || isOurs(object) || isDerived(key)) other?.put(key, object);
        else other?.remove(key);
      },
      remove: (key) => {
        this.#remove(file(key));
        if (resource === RESOURCES.services) this.#mark(key, {});
        other?.remove(key);
      },
      listed: () => {
        other?.listed();
        this.#listed(right);
      },
      fault: (fault) => {
        other?.fault(fault);
        tellUnread(this.#options.troubles, right, fault);
      },
    };
  }

  /** mark takes the export that a Service's mark stands for, behind a ServiceExport of that name: the first by name of
   *  its place counts. */
  #mark(key: string, service: unknown): void {
    const marked = markedExport(service, this.#options.markers);
    if (marked === null) this.#remove(`~mark ${key}`);
    else this.#put(`~mark ${key}`, marked);
  }

  #remove(file: string): void {
    this.#options.troubles.clear("object-refused", file);
    if (this.#index.has(file)) this.#take(this.#index.remove(file));
  }

  #put(file: string, object: unknown): void {
    const read = emptyFile();
    const faults = readObject(object, 1, read);
    if (faults.length > 0)
      return this.#refuse(
        file,
        faults.map(({ path, reason }) => `${path.join(".")} ${reason}`),
      );
    this.#options.troubles.clear("object-refused", file);
    this.#take(this.#index.replace(file, [read.objects], read));
  }

  /** What was good of it before stays in force. */
  #refuse(file: string, reasons: readonly string[]): void {
    const title = "An object of the cluster cannot be taken as it is";
    const detail = `${reasons.join("; ")}: what it said before stays in force`;
    this.#options.troubles.set({ code: "object-refused", severity: "warning", title, subject: file, detail });
  }

  #take(steps: Iterable<void>): void {
    for (const _ of steps); // one object: nothing that the event loop would have to be let turn for
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush()); // when all lines of a chunk were taken
  }

  /** What came together is told of together. */
  #flush(most = BATCH): void {
    const batch = this.#index.flush(most);
    this.#flushing = batch.more;
    if (batch.more) setImmediate(() => this.#flush());
    const anything = batch.changed.length + batch.changedImports.length > 0;
    if (anything || this.#index.otherChanges !== this.#toldOthers) this.#tell(batch);
  }

  #tell({ changed, changedImports }: Pick<ManifestChange, "changed" | "changedImports">): void {
    this.#toldOthers = this.#index.otherChanges;
    const change: ManifestChange = { changed, changedImports, manifests: this.current(), synced: this.#isSynced };
    for (const listener of this.#listeners) listener(change);
  }

  #listed(right: string): void {
    if (!this.#unlisted.delete(right)) return;
    // With the kind's name goes the doubt about everything that was not found.
    this.#take(this.#index.remove(right));
    this.#syncIf();
  }

  #syncIf(): void {
    if (this.#isSynced || this.#unlisted.size > 0) return;
    this.#flush(Number.POSITIVE_INFINITY); // whoever waits for the whole finds it
    const { exports, namespaces } = this.current();
    this.#options.log.info("the cluster was read", { exports: exports.size, namespaces: namespaces.size });
    this.#isSynced = true;
    this.#resolveSynced();
    this.#tell({ changed: [], changedImports: [] });
  }
}

function isImported(object: unknown): boolean {
  return LABEL.imported in part(object, "metadata", "labels");
}

/** A Service by such a name stands where ours would. */
function isDerived(key: string): boolean {
  return /\/derived-[0-9a-v]{10}$/.test(key);
}
