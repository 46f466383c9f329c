import { inRun } from "../bench/index.ts";
import type { Line } from "./line.ts";
import { LoopbackBroker } from "./loopback-broker.ts";
import { RestoreScene } from "./restore-scene.ts";

const AWAY_MS = 30 * 60_000;
const MOST_SPEAK_MS = 10_000;

/** keeps4: a broker is lost with its disk, stays away for half an hour, and comes back from a backup that is older than
 *  what happened. Real daemons; names are asked for all the while. */
export const keeps4: Line = {
  title: "a broker restored from an older backup, after 30 minutes without one",
  required: "0 queries lost, no name lost or risen, no address twice, X in, Y and Z out, members speak in <= 10 s",
  run: (say, signal) =>
    inRun(async (run) => {
      const broker = await LoopbackBroker.open(run.folder, ["--quarantine", "0"]);
      const scene = new RestoreScene(broker, run.folder);
      const stop = (): void => void scene.end();
      signal.addEventListener("abort", stop, { once: true });
      try {
        const { speakMs, asked, lost, faults } = await scene.run(AWAY_MS, say);
        return {
          measured: `${lost} of ${asked} queries lost, ${faults.length} faults, spoke after ${(speakMs / 1000).toFixed(1)} s`,
          holds: lost === 0 && faults.length === 0 && speakMs <= MOST_SPEAK_MS,
          details: faults,
        };
      } finally {
        signal.removeEventListener("abort", stop);
        await scene.end();
      }
    }, signal),
};
