import type { Cidr } from "#values";
import { SET_NAMES, type SetName, setContents } from "./base-sets.ts";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import { baseShape, type TableShape } from "./render.ts";
import { type Placement, place } from "./service-class.ts";
import { type ServiceEntry, sameEntry } from "./service-entry.ts";
import { serviceShape } from "./service-table.ts";
import type { GlobalnetState, GlobalnetWant, ServiceState, TableName } from "./state.ts";

/** Step is one change of the machine. */
export type Step =
  | { readonly kind: "base"; readonly plan: GlobalnetPlan }
  | { readonly kind: "set"; readonly name: SetName; readonly elements: readonly string[] }
  | { readonly kind: "service-table"; readonly servicePrefix: Cidr }
  | { readonly kind: "drop-table"; readonly table: TableName }
  | ServiceStep;

/** A service before and after; both in one transaction, whatever class it had. */
export interface ServiceStep {
  readonly kind: "service";
  readonly key: string;
  readonly from: ServiceState | undefined;
  readonly to: (Placement & { readonly entry: ServiceEntry }) | undefined;
}

/** plan lists the steps from have to want: the guard first, then tables of other versions, which may hold an old
 *  translation, then services. It is pure, and a second plan is empty. */
export function plan(have: GlobalnetState, want: GlobalnetWant): readonly Step[] {
  return [...planSteps(have, want)].filter((step) => step !== undefined);
}

/** planSteps is plan, one step at a time: for use with `slices` where thousands of services change. It yields
 *  undefined for a service that was compared and needs no step; `onSame` hears of it. */
export function* planSteps(
  have: GlobalnetState,
  want: GlobalnetWant,
  onSame: (key: string, entry: ServiceEntry) => void = () => {},
): Generator<Step | undefined> {
  yield* baseSteps(have, want.plan);
  const { services, changed } = want;
  const { servicePrefix } = want.plan;
  const kept = isWhole(have.services, serviceShape(servicePrefix));
  if (!kept && services !== null) yield { kind: "service-table", servicePrefix };
  for (const table of have.strays) yield { kind: "drop-table", table };
  if (services !== null)
    yield* serviceSteps(kept ? have.entries : new Map(), services, kept ? changed : undefined, onSame);
}

function* serviceSteps(
  entries: GlobalnetState["entries"],
  services: ReadonlyMap<string, ServiceEntry>,
  changed: ReadonlySet<string> | undefined,
  onSame: (key: string, entry: ServiceEntry) => void,
): Generator<Step | undefined> {
  // Removals come first: an address that moves to another service is free before it is taken.
  for (const key of changed ?? entries.keys()) {
    const from = entries.get(key);
    if (from !== undefined && !services.has(key)) yield { kind: "service", key, from, to: undefined };
  }
  for (const key of changed ?? services.keys()) {
    const from = entries.get(key);
    const entry = services.get(key);
    if (entry === undefined || from?.entry === entry) continue;
    const step = serviceStep(key, from, entry);
    if (step === undefined && from !== undefined) onSame(key, entry);
    yield step;
  }
}

/** The base is replaced whole when a rule changes, which starts its counters again. What only changes the contents of
 *  sets, as a new link or pod does every minute, empties and fills that set. */
function* baseSteps({ base }: GlobalnetState, wanted: GlobalnetPlan): Generator<Step> {
  if (base === undefined || !isWhole(base, baseShape(wanted))) {
    yield { kind: "base", plan: wanted };
    return;
  }
  const contents = setContents(wanted);
  for (const name of SET_NAMES) {
    const elements = contents[name];
    if (base.sets[name].join() !== elements.join()) yield { kind: "set", name, elements };
  }
}

/** isWhole reports whether a table is the wanted one. More rules than wanted are an nft that breaks its lines; fewer
 *  are a table that was flushed under us. */
function isWhole(found: TableShape | undefined, wanted: TableShape): boolean {
  return found?.digest === wanted.digest && found.rules >= wanted.rules;
}

/** serviceStep compares the entry first, by value, and the buckets only where that does not decide: after a restart,
 *  when the entry that made them is not known. */
function serviceStep(key: string, from: ServiceState | undefined, entry: ServiceEntry): ServiceStep | undefined {
  if (from?.entry !== undefined && sameEntry(from.entry, entry)) return undefined;
  const placement = place(entry, from?.buckets);
  if (placement === undefined) return from === undefined ? undefined : { kind: "service", key, from, to: undefined };
  if (from !== undefined && isPlaced(from, placement)) return undefined;
  return { kind: "service", key, from, to: { ...placement, entry } };
}

/** isPlaced reports whether the kernel has a service exactly so: nothing missing, nothing left over. */
function isPlaced({ chain, buckets, strays }: ServiceState, wanted: Placement): boolean {
  if (chain !== wanted.chain || strays.length > 0 || buckets.length !== wanted.buckets.length) return false;
  return wanted.buckets.every((endpoint, i) => endpoint === buckets[i]);
}
