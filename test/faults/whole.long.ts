import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../cli/testbed-daemons.ts";
import { rssOf } from "../hostile/storm.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene, type Side } from "./scene.ts";

/** Rows whose faults last longer than a test of every day may take. */

let scene: Scene;
let amber: Side;
let birch: Side;
beforeAll(async () => {
  scene = await Scene.raise();
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

test("F4 the broker is stopped for 60 s: no query fails, and everything is caught up with", async () => {
  await using watch = scene.watch(birch);
  scene.broker.daemon.child.kill("SIGSTOP");
  scene.export(amber, "amber-stopped");
  await pause(60_000);
  scene.broker.daemon.child.kill("SIGCONT");
  for (const side of scene.sides) await scene.connected(side, 40_000);
  await checkInvariants(scene);
  expect(watch.lapses).toEqual([]);
});

test("F5 a gateway is stopped for 60 s under changes: the broker's memory stays, and it catches up", async () => {
  const before = await rssOf(scene.broker.daemon.child.pid ?? 0);
  birch.daemon.child.kill("SIGSTOP");
  birch.up = false;
  for (let i = 0; i < 60; i += 1) {
    scene.export(amber, `stop-${i % 20}`);
    await pause(1000);
  }
  expect((await rssOf(scene.broker.daemon.child.pid ?? 0)) - before).toBeLessThan(40);
  birch.daemon.child.kill("SIGCONT");
  birch.up = true;
  await scene.connected(birch, 40_000);
  await checkInvariants(scene);
});

test("F32 the peer vanishes without a word: both sides find out within 15 s, and go on where they were", async () => {
  scene.relay.silent(true);
  const start = performance.now();
  const isAway = () => scene.status(amber);
  await until(isAway, ({ broker }) => !broker.connected, 20_000);
  expect(performance.now() - start).toBeLessThan(15_000);
  scene.export(amber, "amber-silent");
  scene.relay.silent(false);
  scene.relay.cut();
  for (const side of scene.sides) await scene.connected(side, 40_000);
  await checkInvariants(scene);
});

test("F10 the broker is away for two minutes: no query fails", async () => {
  await using watch = scene.watch(birch);
  await scene.broker.kill();
  await pause(120_000);
  await scene.broker.start();
  for (const side of scene.sides) await scene.connected(side, 40_000);
  await checkInvariants(scene);
  expect(watch.lapses).toEqual([]);
});

test("F3 the broker is killed 20 times at random under changes: nothing that was acknowledged is lost", async () => {
  for (let round = 0; round < 20; round += 1) {
    for (let i = 0; i < 5; i += 1) scene.export(round % 2 === 0 ? amber : birch, `kill-${round}-${i}`);
    await pause((round * 137) % 700);
    await scene.broker.kill();
    await scene.broker.start();
  }
  for (const side of scene.sides) await scene.connected(side, 40_000);
  await checkInvariants(scene);
});
