import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../cli/testbed-daemons.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene, type Side } from "./scene.ts";

/** The broker is away: what was learned serves on, from the disk too, and what was done meanwhile is caught up with. */

let scene: Scene;
let amber: Side;
let birch: Side;
beforeAll(async () => {
  scene = await Scene.raise();
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

const imports = async (side: Side) => (await scene.status(side)).imports.map(({ name }) => name).sort();

test("F10 gone for a while: every query is answered, and the age of what is known is shown", async () => {
  await using here = scene.watch(amber);
  await using there = scene.watch(birch);
  await scene.broker.kill();
  await pause(3000);
  const { stateAgeSeconds, troubles } = await scene.status(amber);
  expect(stateAgeSeconds).toBeGreaterThan(2);
  expect(troubles.map(({ code }) => code)).toEqual(["broker-away"]);
  expect([...here.lapses, ...there.lapses]).toEqual([]);
  expect(here.asked + there.asked).toBeGreaterThan(100);
});

test("F11, F12 every gateway is killed too, and starts without it: names are answered as before", async () => {
  const before = await imports(birch);
  for (const side of scene.sides) await scene.kill(side);
  for (const side of scene.sides) await scene.start(side);
  for (const side of scene.sides) expect(await imports(side)).toEqual(before);
  await using watch = scene.watch(birch);
  await pause(1000);
  expect(watch.lapses).toEqual([]);
});

test("F13 it returns after changes on both sides: all of them are everywhere within 5 s of the sessions", async () => {
  scene.export(amber, "amber-meanwhile");
  scene.export(birch, "birch-meanwhile");
  await scene.broker.start();
  for (const side of scene.sides) await scene.connected(side);
  await checkInvariants(scene);
});

test("F33 [lighthouse#1416] a service is deleted while its gateway is down: it is gone within 5 s of its return", async () => {
  await scene.kill(amber);
  scene.withdraw(amber, "amber-meanwhile");
  await scene.start(amber);
  await scene.connected(amber);
  await checkInvariants(scene);
});

test("F42 each side is cut off from the broker: both serve, nothing is allocated, and they meet again", async () => {
  await using watch = scene.watch(birch);
  scene.relay.silent(true);
  scene.relay.cut();
  scene.export(amber, "amber-apart");
  const { address } = await until(
    async () => ({ address: (await scene.status(amber)).exports.find(({ name }) => name === "amber-apart") }),
    (found) => found.address !== undefined,
  );
  expect(address).toMatchObject({ address: null });
  expect(await imports(birch)).not.toContain("amber-apart");
  scene.relay.silent(false);
  scene.relay.cut();
  for (const side of scene.sides) await scene.connected(side);
  await checkInvariants(scene, 20_000);
  expect(watch.lapses).toEqual([]);
});
