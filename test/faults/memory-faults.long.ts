import { afterAll, beforeAll, expect, test } from "vitest";
import { checkInvariants } from "./invariants.ts";
import { memoryRoot } from "./memory-limit.ts";
import { Scene } from "./scene.ts";
import { starved } from "./starved.ts";

/** Memory that runs out, again and again: the kernel takes a process away in the middle of what it does. Needs root. */

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.raise();
  scene.relay.patient = true;
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

test.skipIf(memoryRoot() === null)(
  "F9 gateways and broker, each in turn: the others go on, and all is whole when it is started",
  async () => {
    const [amber, birch] = [scene.side("amber"), scene.side("birch")];
    await using watch = scene.watch(birch);
    for (let round = 0; round < 2; round += 1) {
      await starved(scene, amber.daemon, async () => {});
      await scene.start(amber);
      await checkInvariants(scene, 20_000);
      await starved(scene, scene.broker.daemon, async () => {});
      await scene.broker.start();
      for (const side of scene.sides) await scene.connected(side, 40_000);
      await checkInvariants(scene, 20_000);
    }
    expect(watch.lapses).toEqual([]);
  },
);
