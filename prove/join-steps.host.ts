import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JOIN_STEPS, type JoinStep, stepFault, stepJoin } from "./join-steps.ts";
import { LoopbackBroker } from "./loopback-broker.ts";

/** A join that is killed at some of its steps, on either side; `make prove` takes all of them. Needs strace. */

let folder: string;
let broker: LoopbackBroker;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "meridian-steps-"));
  broker = await LoopbackBroker.open(folder);
});
afterAll(async () => {
  await broker.end("SIGKILL");
  rmSync(folder, { recursive: true });
});

const SOME: readonly JoinStep[] = [
  { side: "gateway", call: "rename", n: 2 },
  { side: "gateway", call: "connect", n: 2 },
  { side: "broker", call: "fdatasync", n: 1 },
];

test.each(SOME.map((step, at) => [step.side, step.call, step.n, at] as const))(
  "a %s that is killed at its %s number %i has joined once or not at all, and the same token takes it to the end (F3)",
  async (side, call, n, at) => {
    const step = { side, call, n };
    expect(JOIN_STEPS).toContainEqual(step);
    expect(stepFault(step, await stepJoin(folder, broker, `c${at}`, step))).toBeUndefined();
  },
);
