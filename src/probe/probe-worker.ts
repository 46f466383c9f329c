import { randomBytes } from "node:crypto";
import { workerData } from "node:worker_threads";
import { CpuPressure } from "./cpu-pressure.ts";
import { DgramLoop } from "./dgram-loop.ts";
import { Engine } from "./engine.ts";
import { type Libc, loadLibc } from "./libc.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./messages.ts";
import { type Desk, NativeLoop } from "./native-loop.ts";
import type { Packet } from "./packet.ts";
import { randomFrom } from "./random-from.ts";
import type { ProbeTarget } from "./report.ts";
import { raisePriority } from "./thread-priority.ts";

/** The thread of all probes. It lives until it is told to stop. */

/** Reports are for people and metrics: twice a second is enough. Verdicts go out at once. */
const REPORT_MS = 500;
const now = (): number => performance.now();

await main(workerData as WorkerSetup);

/** main takes the C library if it may and can, else node:dgram. */
async function main(setup: WorkerSetup): Promise<void> {
  const libc = setup.mode === "dgram" ? null : await loadLibc();
  if (libc?.ok === false && setup.mode === "ffi") throw new Error(libc.error);
  if (libc?.ok === true) runNative(setup, libc.value);
  else runDgram(setup, libc === null ? "node:dgram was asked for" : libc.error);
}

/** The thread blocks in here until it is told to stop. */
function runNative(setup: WorkerSetup, libc: Libc): void {
  const desk = deskFor(setup, (target, packet) => loop.send(target, packet));
  const loop = new NativeLoop(libc, desk);
  raisePriority(libc); // as far as it may; without it verdicts only come later on a busy machine
  loop.run();
  setup.mail.close();
}

/** The thread's event loop does the rest. */
function runDgram(setup: WorkerSetup, why: string): void {
  const desk = deskFor(setup, (target, packet) => loop.send(target, packet));
  const loop = new DgramLoop(desk, why);
  loop.run();
}

/** deskFor makes the engine and what both loops need around it. */
function deskFor(setup: WorkerSetup, send: (target: ProbeTarget, packet: Packet) => void): Desk {
  const post = (message: FromWorker): void => setup.mail.postMessage(message);
  const engine = new Engine({
    now,
    random: randomFrom(setup.seed),
    cookie: () => randomBytes(6).readUIntBE(0, 6) * 2,
    send,
    onVerdict: (id, up) => post({ kind: "verdict", id, up }),
    onBench: (result, run) => post({ kind: "bench", run, result }),
  });
  // The engine sends by the loop and the loop runs the engine: so the way out is a function.
  const pressure = new CpuPressure(now);
  let reportAt = now();
  let revision = 0;
  const report = (): number => {
    if (now() < reportAt) return reportAt;
    engine.setStrained(pressure.strained());
    post({ kind: "reports", revision, reports: engine.reports(), junk: engine.junk });
    reportAt = now() + REPORT_MS;
    return reportAt;
  };
  const take = (message: ToWorker): boolean => {
    if (message.kind === "targets") {
      revision = message.revision;
      reportAt = now(); // the other side learns at once what stayed up
    }
    return handle(engine, message);
  };
  return { setup, engine, now, post, report, handle: take };
}

/** handle gives false when the thread should end. */
function handle(engine: Engine, message: ToWorker): boolean {
  switch (message.kind) {
    case "targets":
      engine.setTargets(message.targets);
      return true;
    case "state":
      engine.setState(message.state);
      return true;
    case "bench":
      for (const id of message.ids) engine.startBench(id, message.durationMs, message.run);
      return true;
    case "bench-stop":
      for (const id of message.ids) engine.stopBench(id);
      return true;
    case "stop":
      return false;
  }
}
