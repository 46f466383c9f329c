import { type Daemon, type Run, startBroker, stopJob } from "#lab";
import { systemClock } from "#life";
import { inRun } from "../bench/index.ts";
import { statusOf } from "./daemon-status.ts";
import type { Line, Proof } from "./line.ts";
import { raiseStage, type Stage, startTraffic, type Traffic } from "./under-traffic.ts";

const MINUTES = 30;
const MOST_MEET_MS = 10_000;
const LOOK_MS = 50;

/** keeps4Away: the broker is killed and stays away; packets and names need nothing of it. Thirty days by the clock are
 *  a test of every day (test/faults/thirty-days.test.ts). */
export const keeps4Away: Line = {
  title: `The broker is away for ${MINUTES} minutes`,
  required: "0 packets and 0 queries lost, no connection cut; members meet the broker again in <= 10 s",
  run: (say, signal) => inRun((run) => proveAway(run, MINUTES * 60, say), signal),
};

/** proveAway keeps the broker away for so many seconds. */
export async function proveAway(run: Run, seconds: number, say: (text: string) => void): Promise<Proof> {
  const stage = await raiseStage(run);
  const traffic = await startTraffic(stage);
  await stopJob(stage.pair.broker.job, { signal: "SIGKILL" });
  for (let passed = 0; passed < seconds; passed += 60) {
    await systemClock.sleep(Math.min(60, seconds - passed) * 1000);
    say(`${Math.min(seconds, passed + 60)} s without a broker`);
  }
  await startBroker(stage.pair.underlay);
  const start = performance.now();
  await met(stage);
  const meetMs = performance.now() - start;
  return judge(await traffic.end(), meetMs, seconds);
}

/** met resolves when both members have a session again. */
async function met({ amber, birch }: Stage): Promise<void> {
  for (const daemon of [amber, birch]) {
    while (!(await isMet(daemon))) await systemClock.sleep(LOOK_MS);
  }
}

async function isMet(daemon: Daemon): Promise<boolean> {
  const { broker } = (await statusOf(daemon)) as { readonly broker: { readonly connected: boolean } };
  return broker.connected;
}

function judge({ sent, lost, transferGoesOn, own, other }: Traffic, meetMs: number, seconds: number): Proof {
  const failed = own.failed + other.failed;
  const wrong = own.wrong + other.wrong;
  return {
    measured: `${seconds / 60} minutes: ${lost} of ${sent} packets lost, ${failed} of ${own.asked + other.asked} queries, ${wrong} answers wrong; met again after ${(meetMs / 1000).toFixed(1)} s`,
    holds: lost === 0 && failed === 0 && wrong === 0 && transferGoesOn && meetMs <= MOST_MEET_MS,
    details: [`transfer ${transferGoesOn ? "goes on" : "was cut"}`],
  };
}
