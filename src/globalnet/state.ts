import type { SetContents } from "./base-sets.ts";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import type { TableShape } from "./render.ts";
import type { Class } from "./service-class.ts";
import type { ServiceEntry } from "./service-entry.ts";

/** GlobalnetWant is the desired state: the translation of this node, and the service table by serviceKey. */
export interface GlobalnetWant {
  readonly plan: GlobalnetPlan;
  /** Null while it is not known: then what there is of the service table stays, whoever made it. */
  readonly services: ReadonlyMap<string, ServiceEntry> | null;
  /** Keys of all services that may differ from the want before; absent where that is not known. One change among ten
   *  thousand then costs one comparison. */
  readonly changed?: ReadonlySet<string>;
}

/** GlobalnetState is what a machine has. A table that is not there is undefined. */
export interface GlobalnetState {
  readonly base: BaseState | undefined;
  readonly services: TableShape | undefined;
  /** Contents of the service table, by serviceKey. */
  readonly entries: ReadonlyMap<string, ServiceState>;
  /** Other tables that carry our name: left by another version, to be removed. */
  readonly strays: readonly TableName[];
}

export interface BaseState extends TableShape {
  readonly sets: SetContents;
}

export interface TableName {
  readonly family: string;
  readonly name: string;
}

/** ServiceState is one service as the kernel has it. */
export interface ServiceState {
  /** The entry that it was made from; undefined when it was read from a machine. */
  readonly entry: ServiceEntry | undefined;
  /** Undefined when elements were found without a verdict. */
  readonly chain: Class | undefined;
  /** Endpoint by bucket; undefined where an element is missing. */
  readonly buckets: readonly (string | undefined)[];
  /** Elements that do not belong to the chain's map: (number of buckets of the map, bucket). */
  readonly strays: readonly (readonly [size: number, bucket: number])[];
}

/** emptyState is a machine without a table of ours. */
export const emptyState: GlobalnetState = { base: undefined, services: undefined, entries: new Map(), strays: [] };
