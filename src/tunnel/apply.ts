import { err, ok, type Result, unreachable } from "#values";
import type { Machine } from "./machine.ts";
import type { Step } from "./step.ts";

/** Applied says what became of a list of steps. */
export interface Applied {
  readonly faults: readonly string[];
  /** Interfaces that could not be made, and why: plan without them, so that the others carry what they can. */
  readonly failed: ReadonlyMap<number, string>;
}

/** applySteps carries steps out in their order. A fault ends nothing: each step stands for itself, the next plan finds
 *  what is missing, and half a network is better than none. Neighbouring lines of `ip` share one process, neighbouring
 *  new interfaces start side by side. */
export async function applySteps(steps: readonly Step[], machine: Machine): Promise<Applied> {
  const faults: string[] = [];
  const failed = new Map<number, string>();
  for (const run of runsOf(steps)) {
    // A run holds either lines of ip only, or none.
    const lines = run.flatMap((step) => (step.kind === "ip" ? [step.line] : []));
    if (lines.length > 0) faults.push(...(await machine.batch(lines)));
    else {
      const done = await Promise.all(run.map((step) => applyOne(step, machine)));
      for (const [i, result] of done.entries()) {
        if (result.ok) continue;
        faults.push(result.error);
        const step = run[i];
        if (step?.kind === "create") failed.set(step.index, result.error);
      }
    }
  }
  return { faults, failed };
}

/** resultOf turns what happened into a Result: the number of steps, or all faults in one line. */
export function resultOf(steps: readonly Step[], { faults }: Applied): Result<number> {
  return faults.length === 0 ? ok(steps.length) : err([...new Set(faults)].join("; "));
}

/** runsOf joins neighbours that may be carried out together: lines of `ip`, and creations. */
function runsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const runs: Step[][] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    const joins = last?.[0]?.kind === step.kind && (step.kind === "ip" || step.kind === "create");
    if (joins) last?.push(step);
    else runs.push([step]);
  }
  return runs;
}

/** applyOne carries out a step that has no batch. */
function applyOne(step: Step, machine: Machine): Promise<Result<null>> {
  switch (step.kind) {
    case "create":
      return machine.create(step.index, step.listenPort);
    case "destroy":
      return machine.destroy(step.index);
    case "configure":
      return machine.configure(step);
    case "forget":
      return machine.forget(step.index, step.peers);
    case "sysctl":
      return machine.setSysctl(step.name, step.value);
    case "bridge":
      return machine.bridge(step.line);
    case "ip":
      throw new Error("lines of ip go in batches");
    default:
      return unreachable(step);
  }
}
