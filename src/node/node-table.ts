import { EntryTable, type GlobalnetWant, WITHDRAW_MS } from "#globalnet";
import type { NetworkDocument, TableService } from "#kube";
import type { Clock } from "#life";
import type { Ip, NodeName } from "#values";
import { compileEntries, type EntryContext } from "./service-entries.ts";

/** TableWant is what a node's service table is to hold, and which of its pods may be their own clients. */
export type TableWant = Pick<GlobalnetWant, "services" | "changed"> & { readonly hairpin: readonly Ip[] };

/** Where nothing tells of services, none is known, and none is to be in the table. */
export const NO_SERVICES: TableWant = { services: new Map(), changed: new Set(), hairpin: [] };

interface Held {
  readonly keys: readonly string[];
  readonly hairpin: readonly Ip[];
}

/** NodeTable is what a node's service table is to hold, as it is heard of services. Until all was heard once nothing is
 *  said of it: what an earlier daemon put into the kernel goes on. */
export class NodeTable {
  readonly #node: NodeName;
  readonly #of: (key: string) => TableService | undefined;
  readonly #table: EntryTable;
  readonly #held = new Map<string, Held>();
  readonly #dirty = new Set<string>();
  #synced = false;
  #context: EntryContext | undefined;

  /** `of` gives a service, by "namespace/name". */
  constructor(node: NodeName, clock: Pick<Clock, "monotonic">, of: (key: string) => TableService | undefined) {
    this.#node = node;
    this.#of = of;
    this.#table = new EntryTable(clock, WITHDRAW_MS);
  }

  /** size is the number of entries, those that are about to go among them; null while it is not known. */
  get size(): number | null {
    return this.#synced ? this.#table.entries.size : null;
  }

  /** changed says that a service came, went or is other than before. */
  changed(key: string): void {
    this.#dirty.add(key);
  }

  /** synced says that all services there are were told. */
  synced(): void {
    this.#synced = true;
  }

  /** nextAt is when, monotonic, want is to be asked again although nothing was heard. */
  nextAt(): number {
    return this.#table.nextAt();
  }

  /** want is what the table is to hold now. What it gives once as changed has to be applied, or all compared. */
  want({ cluster, servicePrefix }: Pick<NetworkDocument, "cluster" | "servicePrefix">): TableWant {
    if (!this.#synced) return { services: null, hairpin: [] };
    if (this.#context?.cluster !== cluster || this.#context.servicePrefix !== servicePrefix) {
      this.#context = { cluster, servicePrefix, node: this.#node };
      for (const key of this.#held.keys()) this.#dirty.add(key);
    }
    for (const key of this.#dirty) this.#take(key, this.#context);
    this.#dirty.clear();
    this.#table.expire();
    const changed = this.#table.takeChanged();
    const hairpin = [...this.#held.values()].flatMap((held) => held.hairpin);
    return { services: this.#table.entries, ...(changed === undefined ? {} : { changed }), hairpin };
  }

  #take(key: string, context: EntryContext): void {
    const service = this.#of(key);
    const compiled = service === undefined ? undefined : compileEntries(service, context);
    const before = this.#held.get(key)?.keys ?? [];
    this.#table.retire(before.filter((one) => compiled?.entries.has(one) !== true));
    if (compiled === undefined) this.#held.delete(key);
    else this.#held.set(key, { keys: [...compiled.entries.keys()], hairpin: compiled.hairpin });
    for (const [one, entry] of compiled?.entries ?? []) this.#table.put(one, entry);
  }
}
