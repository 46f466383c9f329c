import { type CommandFault, describeFault, slices, type Troubles } from "#life";
import { ok, type Result } from "#values";
import { afterSteps, apply, foldServices } from "./apply.ts";
import { type Conntrack, type Flow, removedFlows } from "./conntrack.ts";
import { type Counters, readCounters } from "./counters.ts";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import type { Nft } from "./nft.ts";
import { planSteps, type Step } from "./plan.ts";
import { hasBase, ownTables, read } from "./read.ts";
import { render } from "./render.ts";
import type { ServiceEntry } from "./service-entry.ts";
import type { GlobalnetState, GlobalnetWant, ServiceState } from "./state.ts";

/** GlobalnetPorts is what a Globalnet works on; `troubles` hears when old UDP connections cannot be removed. */
export interface GlobalnetPorts {
  readonly nft: Nft;
  readonly conntrack: Conntrack;
  readonly troubles: Troubles;
}

/** Globalnet keeps one machine as wanted. One call at a time: its callers wait for the last. */
export interface Globalnet {
  /** read finds what the machine has, whoever made it. */
  read(signal?: AbortSignal): Promise<Result<GlobalnetState, CommandFault>>;
  /** apply carries out a plan, then removes the connections of UDP endpoints that went. */
  apply(
    have: GlobalnetState,
    steps: readonly Step[],
    signal?: AbortSignal,
  ): Promise<Result<GlobalnetState, CommandFault>>;
  /** reconcile makes the machine as wanted and gives the number of steps. It reads the machine once, then goes by what
   *  it applied; when a transaction fails it reads again and tries once more. */
  reconcile(want: GlobalnetWant, signal?: AbortSignal): Promise<Result<number, CommandFault>>;
  /** guard makes the base table where there is none; one that is there stays as it is, for reconcile. It is for before the
   *  first tunnel: what comes through a tunnel without it is neither translated nor refused. */
  guard(plan: GlobalnetPlan, signal?: AbortSignal): Promise<Result<void, CommandFault>>;
  /** forget makes the next reconcile read the machine: somebody else may have changed it. */
  forget(): void;
  /** counters is what was dropped, refused and passed on, by one call of nft. */
  counters(signal?: AbortSignal): Promise<Result<Counters, CommandFault>>;
  /** teardown removes every table of ours, in one transaction. */
  teardown(signal?: AbortSignal): Promise<Result<void, CommandFault>>;
}

/** createGlobalnet makes a Globalnet over its ports; it does nothing yet. */
export function createGlobalnet(ports: GlobalnetPorts): Globalnet {
  return new Machine(ports);
}

class Machine implements Globalnet {
  readonly #ports: GlobalnetPorts;
  /** What the machine has; undefined when it must be read. */
  #known: Known | undefined;
  #guarded = false;

  constructor(ports: GlobalnetPorts) {
    this.#ports = ports;
  }

  read(signal?: AbortSignal): Promise<Result<GlobalnetState, CommandFault>> {
    return read(this.#ports.nft, signal);
  }

  async apply(have: GlobalnetState, steps: readonly Step[], signal?: AbortSignal) {
    const applied = await this.#carryOut(steps, signal);
    return applied.ok ? ok(afterSteps(have, steps)) : applied;
  }

  // What was read just now and failed all the same will fail again: the second try is for stale knowledge.
  async reconcile(want: GlobalnetWant, signal?: AbortSignal): Promise<Result<number, CommandFault>> {
    const fresh = this.#known === undefined;
    const done = await this.#once(want, signal);
    return done.ok || fresh ? done : this.#once(want, signal);
  }

  async guard(plan: GlobalnetPlan, signal?: AbortSignal): Promise<Result<void, CommandFault>> {
    if (this.#guarded) return ok(undefined);
    const { nft } = this.#ports;
    const there = await hasBase(nft, signal);
    if (!there.ok) return there;
    const made = there.value ? ok(undefined) : await nft.run(render(plan), signal);
    this.#guarded = made.ok;
    return made;
  }

  forget(): void {
    this.#known = undefined;
    this.#guarded = false;
  }

  counters(signal?: AbortSignal): Promise<Result<Counters, CommandFault>> {
    return readCounters(this.#ports.nft, signal);
  }

  async teardown(signal?: AbortSignal): Promise<Result<void, CommandFault>> {
    this.forget();
    const tables = await ownTables(this.#ports.nft, signal);
    if (!tables.ok || tables.value.length === 0) return tables.ok ? ok(undefined) : tables;
    const text = tables.value.map(({ family, name }) => `delete table ${family} ${name}\n`).join("");
    return this.#ports.nft.run(text, signal);
  }

  /** once plans in slices, since a first plan compares every service there is. What was applied is folded into the
   *  state at hand: a copy of 10,000 services for each change of one is most of what that change would cost. */
  async #once(want: GlobalnetWant, signal?: AbortSignal): Promise<Result<number, CommandFault>> {
    const fresh = this.#known === undefined;
    const found = this.#known === undefined ? await this.#readKnown(signal) : ok(this.#known);
    this.#known = undefined; // until it is known what became of it
    if (!found.ok) return found;
    const have = found.value;
    // What differs from a state that was read just now, nobody can say.
    const wanted = fresh ? { plan: want.plan, services: want.services } : want;
    const steps: Step[] = [];
    const todo = planSteps(have, wanted, (key, entry) => recognise(have.entries, key, entry));
    await slices(todo, (step) => step !== undefined && steps.push(step), signal === undefined ? {} : { signal });
    const applied = steps.length === 0 ? ok(undefined) : await this.#carryOut(steps, signal);
    if (!applied.ok) return applied;
    this.#known = folded(have, steps);
    return ok(steps.length);
  }

  async #readKnown(signal?: AbortSignal): Promise<Result<Known, CommandFault>> {
    const found = await this.read(signal);
    return found.ok ? ok({ ...found.value, entries: new Map(found.value.entries) }) : found;
  }

  /** Connections go after the transaction: one that is tracked again in between already finds the new endpoint. */
  async #carryOut(steps: readonly Step[], signal?: AbortSignal): Promise<Result<void, CommandFault>> {
    const { nft, conntrack, troubles } = this.#ports;
    const applied = await apply(nft, steps, signal);
    if (applied.ok) await forgetFlows(conntrack, troubles, steps.flatMap(removedFlows), signal);
    return applied;
  }
}

/** Known is a state of which the contents of the service table may be changed in place. */
type Known = GlobalnetState & { readonly entries: Map<string, ServiceState> };

/** folded is what a machine has after steps; its services are changed in place. */
function folded(have: Known, steps: readonly Step[]): Known {
  const tables = steps.filter(({ kind }) => kind !== "service");
  const after = tables.length === 0 ? have : afterSteps(have, tables);
  const state = { ...after, entries: after === have ? have.entries : new Map(after.entries) };
  foldServices(state.entries, steps);
  return state;
}

/** recognise notes the entry that a service was found to be made from, so that the next plan need not compare. */
function recognise(entries: Map<string, ServiceState>, key: string, entry: ServiceEntry): void {
  const found = entries.get(key);
  if (found !== undefined) entries.set(key, { ...found, entry });
}

/** forgetFlows is of no consequence for what was applied: that it cannot be done is a trouble, not a failure. */
async function forgetFlows(conntrack: Conntrack, troubles: Troubles, flows: readonly Flow[], signal?: AbortSignal) {
  for (const flow of flows) {
    const done = await conntrack.forget(flow, signal);
    if (done.ok) continue;
    troubles.set({
      code: "conntrack-failed",
      severity: "warning",
      title: "UDP clients may stay with a removed endpoint",
      subject: "",
      detail: `${describeFault(done.error)}; install the package conntrack, or wait until its clients pause`,
    });
    return;
  }
  if (flows.length > 0) troubles.clear("conntrack-failed");
}
