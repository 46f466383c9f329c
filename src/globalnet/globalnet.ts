import { type CommandFault, describeFault, slices, type Troubles } from "#life";
import { ok, type Result } from "#values";
import { apply } from "./apply.ts";
import { type Conntrack, type Flow, removedFlows } from "./conntrack.ts";
import { type Counters, readCounters } from "./counters.ts";
import type { Nft } from "./nft.ts";
import { planSteps, type Step } from "./plan.ts";
import { ownTables, read } from "./read.ts";
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
  /** forget makes the next reconcile read the machine: somebody else may have changed it. */
  forget(): void;
  /** counters is what was dropped, refused and passed on, by one call of nft. */
  counters(signal?: AbortSignal): Promise<Result<Counters, CommandFault>>;
  /** teardown removes every table of ours, in one transaction. */
  teardown(signal?: AbortSignal): Promise<Result<void, CommandFault>>;
}

/** createGlobalnet makes a Globalnet over its ports; it does nothing yet. */
export function createGlobalnet({ nft, conntrack, troubles }: GlobalnetPorts): Globalnet {
  let known: GlobalnetState | undefined;

  /** Connections go after the transaction: one that is tracked again in between already finds the new endpoint. */
  async function applySteps(have: GlobalnetState, steps: readonly Step[], signal?: AbortSignal) {
    const applied = await apply(nft, have, steps, signal);
    if (applied.ok) await forgetFlows(conntrack, troubles, steps.flatMap(removedFlows), signal);
    return applied;
  }

  /** once plans in slices, since a first plan compares every service there is. */
  async function once(want: GlobalnetWant, signal?: AbortSignal): Promise<Result<number, CommandFault>> {
    const have = known === undefined ? await read(nft, signal) : ok(known);
    known = undefined; // until it is known what became of it
    if (!have.ok) return have;
    const steps: Step[] = [];
    const same = new Map<string, ServiceEntry>();
    const todo = planSteps(have.value, want, (key, entry) => same.set(key, entry));
    await slices(todo, (step) => step !== undefined && steps.push(step), signal === undefined ? {} : { signal });
    const state = steps.length === 0 ? have : await applySteps(have.value, steps, signal);
    if (!state.ok) return state;
    known = recognise(state.value, same);
    return ok(steps.length);
  }

  return {
    read: (signal) => read(nft, signal),
    apply: applySteps,
    // What was read just now and failed all the same will fail again: the second try is for stale knowledge.
    async reconcile(want, signal) {
      const fresh = known === undefined;
      const done = await once(want, signal);
      return done.ok || fresh ? done : once(want, signal);
    },
    forget() {
      known = undefined;
    },
    counters: (signal) => readCounters(nft, signal),
    async teardown(signal) {
      known = undefined;
      const tables = await ownTables(nft, signal);
      if (!tables.ok || tables.value.length === 0) return tables.ok ? ok(undefined) : tables;
      return nft.run(tables.value.map(({ family, name }) => `delete table ${family} ${name}\n`).join(""), signal);
    },
  };
}

/** recognise notes the entries that services were found to be made from, so that the next plan need not compare. */
function recognise(state: GlobalnetState, same: ReadonlyMap<string, ServiceEntry>): GlobalnetState {
  if (same.size === 0) return state;
  const entries = new Map<string, ServiceState>(state.entries);
  for (const [key, entry] of same) {
    const found = entries.get(key);
    if (found !== undefined) entries.set(key, { ...found, entry });
  }
  return { ...state, entries };
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
