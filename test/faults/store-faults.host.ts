import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say, until } from "../cli/testbed-daemons.ts";
import { Injection } from "./injection.ts";
import { checkInvariants } from "./invariants.ts";
import { memoryRoot } from "./memory-limit.ts";
import { Promised } from "./promised.ts";
import { Scene, type Side } from "./scene.ts";
import { SmallDisk } from "./small-disk.ts";
import { starved } from "./starved.ts";

/** Faults under a broker that only root can make: a small file system, system calls that fail, memory that runs out. */

let scene: Scene;
let amber: Side;
let birch: Side;
let disk: SmallDisk;
beforeAll(async () => {
  scene = await Scene.raise();
  scene.relay.patient = true;
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  await scene.broker.kill();
  disk = await SmallDisk.under(scene.broker.place.data, "8m");
  await scene.broker.start();
  for (const side of scene.sides) await scene.connected(side);
  await checkInvariants(scene);
}, 60_000);
afterAll(async () => {
  await scene?.broker.kill();
  await disk?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const pid = (): number => scene.broker.daemon.child.pid ?? 0;
const imports = async (side: Side) => (await scene.status(side)).imports.map(({ name }) => name);

/** unwritable is what holds while nothing can be written: the refusal says why, reads are answered, names too, and an
 *  export of that time is nowhere; when writing works again the same process goes on, and everything is as promised. */
async function unwritable(why: RegExp, name: string, heal: () => Promise<void> | void): Promise<void> {
  await using watch = scene.watch(birch);
  const before = { pid: pid(), names: (await imports(birch)).sort() };
  const promised = new Promised(scene.broker);
  const refused = await promised.untilRefused();
  expect(refused).toMatchObject({ status: 503, detail: expect.stringMatching(why) });
  scene.export(amber, name);
  const { exports } = await until(
    () => scene.status(amber),
    (status) => status.exports.some((one) => one.name === name),
  );
  expect(exports.find((one) => one.name === name)).toMatchObject({ address: null });
  await pause(300); // long enough for it to be everywhere, were it let through
  expect((await scene.broker.tryInvite()).status).toBe(503);
  expect((await scene.broker.witness()).records.length).toBeGreaterThan(0);
  expect((await imports(birch)).sort()).toEqual(before.names);
  await heal();
  await checkInvariants(scene, 20_000);
  expect(await promised.broken()).toEqual([]);
  expect([pid(), watch.lapses]).toEqual([before.pid, []]);
}

test.skipIf(memoryRoot() === null)(
  "F9 the broker's memory is spent: what it acknowledged is there when it is started again",
  async () => {
    await using watch = scene.watch(birch);
    const promised = new Promised(scene.broker);
    await starved(scene, scene.broker.daemon, () => promised.write());
    await scene.broker.start();
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene, 20_000);
    expect(promised.count).toBeGreaterThan(1);
    expect(await promised.broken()).toEqual([]);
    expect(watch.lapses).toEqual([]);
  },
);

describe("the broker's disk", () => {
  test("F16 is full: writes are refused aloud, all else goes on, and space alone heals it", async () => {
    disk.fill();
    await unwritable(/no space left/, "amber-full", () => disk.free());
  });

  test("F24 refuses writes as one that was made read-only: the same, and it heals the same", async () => {
    const data = scene.broker.place.data;
    const paths = ["store.db", "store.db-wal", ".probe"].map((name) => join(data, name));
    const calls = "pwrite64,ftruncate,openat,fsync,fdatasync";
    await using fault = await Injection.into({ pid: pid(), calls, fails: "error=EROFS", paths });
    await unwritable(/read-only/, "amber-read-only", () => fault.end());
  });

  test("F24 is read-only when it starts: it refuses, says so, and starts when it is not", async () => {
    await using watch = scene.watch(birch);
    await scene.broker.kill();
    await disk.remount("ro");
    const said = await say(scene.broker.argv);
    expect(said).toMatchObject({ code: 1, err: expect.stringMatching(/read-?only/i) });
    await disk.remount("rw");
    await scene.broker.start();
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene);
    expect(watch.lapses).toEqual([]);
  });

  test("F17 fails to sync (EIO): nothing is acknowledged, it ends, and the next start reads what there is", async () => {
    await using watch = scene.watch(birch);
    const promised = new Promised(scene.broker);
    const fault = await Injection.into({ pid: pid(), calls: "fsync,fdatasync", fails: "error=EIO:when=3+" });
    await promised.untilRefused();
    expect(await scene.broker.daemon.exited).toBe(1);
    expect(scene.broker.daemon.lines.join("\n")).toMatch(/the store failed, and nothing more is written/);
    await fault.end();
    await scene.broker.start();
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene);
    expect(await promised.broken()).toEqual([]);
    expect(watch.lapses).toEqual([]);
  });
});
