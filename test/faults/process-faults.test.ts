import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "../cli/testbed-daemons.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene } from "./scene.ts";

/** Faults of processes: killed, stopped, restarted together, told nonsense. */

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.raise();
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

describe("a gateway", () => {
  test("F1 killed: it serves again within 2 s, and the other one's names were answered all the time", async () => {
    const [amber, birch] = [scene.side("amber"), scene.side("birch")];
    await using watch = scene.watch(birch);
    await scene.kill(amber);
    expect(await scene.start(amber)).toBeLessThan(2000 + STARTING_MS);
    await checkInvariants(scene);
    expect(watch.lapses).toEqual([]);
    expect(watch.asked).toBeGreaterThan(10);
  });

  test("F5 stopped for a while: the broker and the others go on, and it catches up", async () => {
    const [amber, birch] = [scene.side("amber"), scene.side("birch")];
    amber.daemon.child.kill("SIGSTOP");
    amber.up = false;
    for (let i = 1; i <= 20; i += 1) scene.export(birch, `birch-stop-${i}`);
    await checkInvariants(scene);
    amber.daemon.child.kill("SIGCONT");
    amber.up = true;
    await checkInvariants(scene);
    for (let i = 1; i <= 20; i += 1) scene.withdraw(birch, `birch-stop-${i}`);
    await checkInvariants(scene);
  });

  test("F7 started with what cannot be right: it refuses, and what was serves on after the next start", async () => {
    const amber = scene.side("amber");
    await scene.kill(amber);
    const wrong = {
      ...amber.place,
      argv: amber.place.argv.map((arg) => (arg === "10.244.0.0/16" ? "10.244.0.1/16" : arg)),
    };
    const { place } = amber;
    Object.assign(amber, { place: wrong });
    await expect(scene.start(amber)).rejects.toThrow(/host bits/);
    Object.assign(amber, { place });
    await scene.start(amber);
    await checkInvariants(scene);
  });
});

describe("the broker", () => {
  test("F4 stopped for a while, then goes on: nothing twice, nothing missed, names answered", async () => {
    const amber = scene.side("amber");
    await using watch = scene.watch(amber);
    scene.broker.daemon.child.kill("SIGSTOP");
    scene.export(amber, "amber-paused");
    await pause(3000);
    scene.broker.daemon.child.kill("SIGCONT");
    await checkInvariants(scene, 20_000);
    scene.withdraw(amber, "amber-paused");
    await checkInvariants(scene);
    expect(watch.lapses).toEqual([]);
  });

  test("F3 killed at random under changes, again and again: what was acknowledged is there", async () => {
    const amber = scene.side("amber");
    for (let round = 0; round < 4; round += 1) {
      for (let i = 0; i < 5; i += 1) scene.export(amber, `amber-${round}-${i}`);
      await pause(round * 150); // somewhere in the middle of what follows from it
      await scene.broker.kill();
      await scene.broker.start();
      await scene.connected(amber);
    }
    await checkInvariants(scene, 20_000);
  });

  test("F21 a second one on the same store: it refuses, the first goes on", async () => {
    const second = await say(scene.broker.argv);
    expect(second).toMatchObject({ code: 1, err: expect.stringMatching(/another meridian \(pid \d+\) holds/) });
    await checkInvariants(scene);
  });
});

describe("everything", () => {
  test("F6 killed one after the other: all of it is back within 10 s", async () => {
    const start = performance.now();
    for (const side of scene.sides) {
      await scene.kill(side);
      await scene.start(side);
    }
    await scene.broker.kill();
    await scene.broker.start();
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene, 10_000);
    expect(performance.now() - start).toBeLessThan(10_000 + 3 * STARTING_MS);
  });
});

/** What a start of the program takes by itself on a busy machine. */
const STARTING_MS = 3000;
