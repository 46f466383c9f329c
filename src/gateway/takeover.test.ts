import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestClock, turns, until } from "#lab";
import type { NodeName } from "#values";
import { dataDir, exportBody, TestMember } from "./testbed.ts";
import { FakeBroker, Rig } from "./testbed-broker.ts";

const KEY = (name: string) => `export/amber/shop/${name}`;
const body = (name: string, last = 1) => exportBody(name, [`242.1.0.${last}`]);

let clock: TestClock;
let member: TestMember;
let broker: FakeBroker;
let dirs: string[];
let rigs: Rig[];

beforeEach(() => {
  clock = new TestClock();
  member = new TestMember("amber", 1);
  broker = new FakeBroker(member, ...member.joined());
  [dirs, rigs] = [[], []];
});
afterEach(async () => {
  for (const rig of rigs) await rig.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

/** gateway is one of amber's gateways, on a disk of its own; all have the same source. */
async function gateway(wanted: Map<string, unknown>): Promise<Rig> {
  const dir = dataDir();
  const rig = new Rig({ member, broker, dir, clock, wanted });
  dirs.push(dir);
  rigs.push(rig);
  await rig.start();
  return rig;
}

const theirs = () => broker.catalogue.members.get(member.cluster);
const held = () => [...(theirs()?.exports.keys() ?? [])].sort();

describe("a takeover of the speaker", () => {
  test("re-signs none of 10,000 exports and withdraws none: the head alone is new", async () => {
    const wanted = new Map(Array.from({ length: 10_000 }, (_, at) => [KEY(`s${at}`), body(`s${at}`)]));
    const one = await gateway(wanted);
    await broker.connect(one);
    await until(() => held().length === 10_000);
    const before = { root: theirs()?.head?.body.root, published: broker.published.length };
    broker.disconnect();
    const two = await gateway(new Map(wanted));
    await broker.connect(two);
    await until(() => theirs()?.head?.order.epoch === 2);
    await clock.pass(10_000);
    const after = broker.published.slice(before.published);
    expect(after.map(({ put, remove }) => [put.map(({ key }) => key), remove])).toEqual([[["head/amber"], []]]);
    expect(theirs()?.head?.body.root).toBe(before.root);
  });

  test("leaves an old speaker that returns with unsent changes without a word until it has the epoch", async () => {
    const one = await gateway(new Map([[KEY("web"), body("web")]]));
    await broker.connect(one);
    await until(() => held().length === 1);
    broker.disconnect();
    one.say({ [KEY("web")]: null, [KEY("unsent")]: body("unsent") }); // signed under its epoch, on its own disk
    await until(() => one.follower.ownBodies.has(KEY("unsent")));
    const two = await gateway(new Map([[KEY("web"), body("web", 2)]]));
    await broker.connect(two);
    await until(() => theirs()?.head?.order.epoch === 2);
    await clock.pass(4000);
    const root = theirs()?.head?.body.root;
    broker.disconnect();
    broker.speaks = false; // the other gateway does
    await broker.connect(one);
    await clock.pass(20_000);
    expect([theirs()?.head?.body.root, held()]).toEqual([root, ["shop/web"]]);
    expect([...one.follower.ownBodies.keys()]).toEqual([KEY("web")]);
    broker.speaks = true;
    await clock.pass(4000);
    await until(() => held().join() === "shop/unsent");
  });
});

describe("a speaker without its source", () => {
  test("gives its epoch back after 30 s, not before, and takes a new one when the source is there again", async () => {
    const rig = await gateway(new Map([[KEY("web"), body("web")]]));
    await broker.connect(rig);
    await until(() => held().length === 1);
    rig.synced = false;
    await clock.pass(29_000);
    expect([broker.yielded, rig.speaker.epoch]).toEqual([0, 1]);
    await clock.pass(4000);
    expect([broker.yielded, rig.speaker.epoch]).toEqual([1, null]);
    expect(held()).toEqual(["shop/web"]);
    rig.synced = true;
    await clock.pass(4000);
    expect(rig.speaker.epoch).toBe(2);
  });

  test("that has it again in time keeps its epoch", async () => {
    const rig = await gateway(new Map());
    await broker.connect(rig);
    await until(() => rig.speaker.epoch === 1);
    for (let round = 0; round < 3; round += 1) {
      rig.synced = false;
      await clock.pass(20_000);
      rig.synced = true;
      await clock.pass(4000);
    }
    expect([broker.yielded, rig.speaker.epoch]).toEqual([0, 1]);
  });
});

test("only the speaker takes silent siblings out", async () => {
  const rig = await gateway(new Map());
  await rig.speaker.silent(["old" as NodeName]);
  expect(broker.withdrawn).toEqual([]);
  await broker.connect(rig);
  await until(() => rig.speaker.epoch === 1);
  await rig.speaker.silent(["old" as NodeName]);
  await turns();
  expect(broker.withdrawn).toEqual(["old"]);
});
