import { loadavg } from "node:os";
import { type Job, linesOf, mustExec, type Place, type Run, raiseSiblings, settled, spawnIn, stopJob } from "#lab";
import { systemClock } from "#life";
import { inRun } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";

const MINUTES = 10;
const LOSS_PERCENT = 5;

/** keeps2Quiet: nothing is wrong but a lossy network and a busy core, and no gateway may be taken for dead. */
export const keeps2Quiet: Line = {
  title: "No false failover",
  required: `0 false verdicts in ${MINUTES} minutes at ${LOSS_PERCENT} % loss each way, one core kept busy`,
  run: (say, signal) => inRun((run) => proveQuiet(run, MINUTES * 60, say), signal),
};

/** proveQuiet listens to the verdicts of all gateways for a while. */
export async function proveQuiet(run: Run, seconds: number, say: (text: string) => void): Promise<Proof> {
  const scene = await raiseSiblings(run, { amber: 2, birch: 1 });
  await settled(scene);
  const daemons = [...scene.amber.gateways, ...scene.birch.gateways];
  for (const { place } of daemons) await lose(place);
  const busy = await spawnIn(scene.underlay, "busy", [process.execPath, "-e", "for (;;);"]);
  const before = await Promise.all(daemons.map((daemon) => falls(daemon.job)));
  for (let passed = 0; passed < seconds; passed += 60) {
    await systemClock.sleep(Math.min(60, seconds - passed) * 1000);
    say(`${Math.min(seconds, passed + 60)} s`);
  }
  await stopJob(busy, { signal: "SIGKILL" });
  const after = await Promise.all(daemons.map((daemon) => falls(daemon.job)));
  const lines = after.flatMap((all, i) => all.slice(before[i]?.length ?? 0));
  const dropped = await Promise.all(daemons.map(({ place }) => droppedIn(place)));
  return {
    measured: `${lines.length} false verdicts in ${seconds / 60} minutes, in ${daemons.length} gateways`,
    holds: lines.length === 0,
    details: [
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(", ")}`,
      `dropped on the way in: ${dropped.join(", ")} packets`,
      ...lines,
    ],
  };
}

/** Each gateway loses one in twenty of what comes to its tunnels: so each way between two of them does. */
async function lose(place: Place): Promise<void> {
  const rules = `table ip loss {
    chain in { type filter hook prerouting priority -500; policy accept;
      iifname "eth0" udp dport 51820-51827 numgen random mod 100 < ${LOSS_PERCENT} counter drop
    }
  }`;
  await mustExec(place, ["nft", "-f", "-"], { stdin: rules });
}

async function droppedIn(place: Place): Promise<number> {
  return Number(/counter packets (\d+)/.exec(await mustExec(place, ["nft", "list", "table", "ip", "loss"]))?.[1]);
}

async function falls(job: Job): Promise<readonly string[]> {
  return (await linesOf(job)).filter((line) => /"msg":"way to \S+ is down"/.test(line));
}
