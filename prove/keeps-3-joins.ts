import { inRun, stampMs } from "../bench/index.ts";
import { JOIN_STEPS, stepFault, stepJoin } from "./join-steps.ts";
import { joinStorm } from "./join-storm.ts";
import type { Line } from "./line.ts";
import { LoopbackBroker } from "./loopback-broker.ts";

const JOINS = 300;
const KILLS = 20;
const PARALLEL = 4;

/** A join killed at each of its steps, on either side. */
async function stepThrough(
  folder: string,
  broker: LoopbackBroker,
  say: (text: string) => void,
): Promise<readonly string[]> {
  await broker.serve();
  const faults: string[] = [];
  for (const [at, step] of JOIN_STEPS.entries()) {
    say(`${step.side} killed at ${step.call} ${step.n}`);
    const fault = stepFault(step, await stepJoin(folder, broker, `step${at}`, step));
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

/** keeps3: clusters join and leave while the broker is killed, and a checker of its own reads the broker's log. */
export const keeps3: Line = {
  title: "300 joins and releases with the broker killed 20 times, and a join killed at each step",
  required: "0 allocations lost, changed or overlapping at any revision; joined once or not at all",
  run: (say, signal) =>
    inRun(async (run) => {
      const broker = await LoopbackBroker.open(run.folder, ["--quarantine", "0"]);
      const stop = (): void => void broker.end("SIGKILL");
      signal.addEventListener("abort", stop, { once: true });
      try {
        say(`${JOINS} clusters join with a /20, ${PARALLEL} at a time`);
        const start = stampMs();
        const { told, kills, cuts, faults } = await joinStorm(broker, {
          ...{ joins: JOINS, kills: KILLS, parallel: PARALLEL, random: Math.random },
        });
        const stepFaults = await stepThrough(run.folder, broker, say);
        const prefixes = new Set(told.map(({ prefix }) => prefix)).size;
        return {
          measured: `${told.length} joins, ${kills} kills, ${faults.length} faults; ${JOIN_STEPS.length} steps, ${stepFaults.length} faults`,
          holds: told.length === JOINS && kills === KILLS && faults.length + stepFaults.length === 0,
          details: [
            `in ${((stampMs() - start) / 1000).toFixed(1)} s; ${cuts} sessions ended under a member and were tried again`,
            `${prefixes} prefixes served ${JOINS} clusters; ${told.filter(({ left }) => !left).length} stayed`,
            ...faults,
            ...stepFaults,
          ],
        };
      } finally {
        signal.removeEventListener("abort", stop);
        await broker.end("SIGKILL");
      }
    }, signal),
};
