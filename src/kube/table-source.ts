import { type Clock, type Log, type Room, runAll, type Troubles } from "#life";
import type { ApiServer } from "./api/api-server.ts";
import { ListWatch, type ObjectFollower } from "./api/list-watch.ts";
import { RESOURCES, type Resource, rightOf } from "./api/resource.ts";
import { type TableImport, type TableSlice, tableImport, tableSlice } from "./table-objects.ts";
import { tellUnread } from "./tell-unread.ts";
import { LABEL, MANAGED_BY, MANAGER } from "./well-known.ts";

export interface TableSourceOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  /** Hears of each import, by "namespace/name", that came, went or is other than before, its endpoints included. */
  readonly changed: (key: string) => void;
  /** Hears when all that there is was heard. */
  readonly synced: () => void;
}

/** TableService is an import with what its slices hold; their order means nothing. */
export interface TableService {
  readonly imported: TableImport;
  readonly slices: readonly TableSlice[];
}

/** TableSource follows what the gateways wrote of imported services, as far as a service table needs it. What was heard
 *  stays while the API server cannot be. */
export interface TableSource extends Room {
  /** of is a service; undefined where there is no import of that name. */
  of(key: string): TableService | undefined;
}

const IMPORTS = { resource: RESOURCES.serviceImports, labelSelector: `${MANAGED_BY.object}=${MANAGER}`, page: 500 };
const SLICES = {
  resource: RESOURCES.endpointSlices,
  labelSelector: `${LABEL.imported},${MANAGED_BY.slice}=${MANAGER}`,
  page: 100,
};

export function createTableSource(options: TableSourceOptions): TableSource {
  return new ApiTableSource(options);
}

class ApiTableSource implements TableSource {
  readonly name = "imported services";
  readonly #options: TableSourceOptions;
  readonly #imports = new Map<string, TableImport>();
  /** Slices by their own names, by import. */
  readonly #slices = new Map<string, Map<string, TableSlice>>();
  /** The import of each slice: a slice that is deleted is told of by its name alone. */
  readonly #importOf = new Map<string, string>();
  readonly #unlisted = new Set<Resource>([IMPORTS.resource, SLICES.resource]);

  constructor(options: TableSourceOptions) {
    this.#options = options;
  }

  of(key: string): TableService | undefined {
    const imported = this.#imports.get(key);
    return imported && { imported, slices: [...(this.#slices.get(key)?.values() ?? [])] };
  }

  run(signal: AbortSignal): Promise<void> {
    const { api, clock, log, random, changed } = this.#options;
    const common = { api, clock, log, random };
    const imports = this.#follower(IMPORTS.resource, {
      put: (key, object) => {
        this.#imports.set(key, tableImport(object));
        changed(key);
      },
      remove: (key) => {
        this.#imports.delete(key);
        changed(key);
      },
    });
    const slices = this.#follower(SLICES.resource, {
      put: (key, object) => this.#putSlice(key, tableSlice(object)),
      remove: (key) => this.#removeSlice(key),
    });
    const watches = [
      new ListWatch({ ...common, ...IMPORTS, follower: imports }),
      new ListWatch({ ...common, ...SLICES, follower: slices }),
    ];
    return runAll(watches, signal);
  }

  #follower(resource: Resource, heard: Pick<ObjectFollower, "put" | "remove">): ObjectFollower {
    return {
      ...heard,
      listed: () => {
        if (this.#unlisted.delete(resource) && this.#unlisted.size === 0) this.#options.synced();
      },
      fault: (fault) => tellUnread(this.#options.troubles, rightOf(resource), fault),
    };
  }

  #putSlice(key: string, slice: TableSlice): void {
    if (this.#importOf.get(key) !== slice.imported) this.#removeSlice(key);
    const slices = this.#slices.get(slice.imported) ?? new Map<string, TableSlice>();
    this.#slices.set(slice.imported, slices.set(key, slice));
    this.#importOf.set(key, slice.imported);
    this.#options.changed(slice.imported);
  }

  #removeSlice(key: string): void {
    const imported = this.#importOf.get(key);
    if (imported === undefined) return;
    this.#importOf.delete(key);
    const slices = this.#slices.get(imported);
    slices?.delete(key);
    if (slices?.size === 0) this.#slices.delete(imported);
    this.#options.changed(imported);
  }
}
