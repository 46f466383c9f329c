import { setImmediate as nextTurn } from "node:timers/promises";
import type { CommandFault } from "#life";
import { ok, type Result } from "#values";
import { setContents } from "./base-sets.ts";
import type { Nft } from "./nft.ts";
import type { Step } from "./plan.ts";
import { baseShape } from "./render.ts";
import { serviceShape } from "./service-table.ts";
import type { BaseState, GlobalnetState, ServiceState } from "./state.ts";
import { transactions } from "./transaction.ts";

/** apply carries out the steps of a plan; afterSteps is what the machine then has. The first transaction that fails
 *  ends it: what the machine has then is between have and want, and must be read. */
export async function apply(
  nft: Nft,
  steps: readonly Step[],
  signal?: AbortSignal,
): Promise<Result<void, CommandFault>> {
  let running: Promise<Result<void, CommandFault>> = Promise.resolve(ok(undefined));
  for (const { text } of transactions(steps)) {
    const done = await running; // the next text is written while nft works on the last
    if (!done.ok) return done;
    running = nft.run(text, signal);
    running.catch(() => {}); // an abort is heard where it is awaited, which may be a turn later
    await nextTurn();
  }
  return await running;
}

/** afterSteps is the state that steps lead to: apply believes a transaction that nft accepted, and does not list thousands
 *  of elements to see what it just wrote. */
export function afterSteps(have: GlobalnetState, steps: readonly Step[]): GlobalnetState {
  let { base, services, strays } = have;
  // A replaced service table is empty, whatever it held before.
  const entries = new Map(steps.some((step) => step.kind === "service-table") ? [] : have.entries);
  foldServices(entries, steps);
  for (const step of steps) {
    switch (step.kind) {
      case "base":
        base = { ...baseShape(step.plan), sets: setContents(step.plan) };
        break;
      case "set":
        base = base && ({ ...base, sets: { ...base.sets, [step.name]: step.elements } } satisfies BaseState);
        break;
      case "service-table":
        services = serviceShape(step.servicePrefix);
        break;
      case "drop-table":
        strays = strays.filter((table) => table !== step.table);
        break;
      case "service": // folded above
    }
  }
  return { base, services, entries, strays };
}

/** foldServices brings the contents of the service table up to what steps made of it. */
export function foldServices(entries: Map<string, ServiceState>, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind !== "service") continue;
    if (step.to === undefined) entries.delete(step.key);
    else entries.set(step.key, { ...step.to, strays: [] } satisfies ServiceState);
  }
}
