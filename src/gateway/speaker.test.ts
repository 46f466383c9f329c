import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestClock, turns, until } from "#lab";
import { dataDir, exportBody, TestMember } from "./testbed.ts";
import { FakeBroker, Rig } from "./testbed-broker.ts";

const KEY = (name: string) => `export/amber/shop/${name}`;
const body = (name: string, last = 1) => exportBody(name, [`242.1.0.${last}`]);

let clock: TestClock;
let member: TestMember;
let broker: FakeBroker;
let dir: string;
let rig: Rig;

beforeEach(async () => {
  clock = new TestClock();
  member = new TestMember("amber", 1);
  broker = new FakeBroker(member, ...member.joined());
  dir = dataDir();
  rig = new Rig({ member, broker, dir, clock });
  await rig.start();
});
afterEach(async () => {
  await rig.stop();
  rmSync(dir, { recursive: true });
});

const theirs = () => broker.catalogue.members.get(member.cluster);
const held = () => [...(theirs()?.exports.keys() ?? [])].sort();

/** many is exports that no single publication holds. */
function many(count: number, last = 1) {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [KEY(`s${at}`), body(`s${at}`, last)]));
}

describe("Speaker", () => {
  test("claims an epoch once the session lives, and publishes under it", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await turns();
    expect(rig.speaker.epoch).toBeNull();
    await broker.connect(rig);
    await until(() => held().length === 1);
    expect(rig.speaker.epoch).toBe(1);
    expect(theirs()?.head?.order).toEqual({ epoch: 1, seq: 1 });
  });

  test("signs what has changed, once: the head of the disk is the head of the broker", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    rig.speaker.changed([KEY("web")]);
    await clock.pass(10_000);
    expect(broker.published).toHaveLength(1);
    const own = rig.follower.catalogue.members.get(member.cluster);
    expect(own?.head?.envelope.signature).toBe(theirs()?.head?.envelope.signature);
  });

  test("keeps the order of a record that stays when another changes", async () => {
    rig.say({ [KEY("web")]: body("web"), [KEY("api")]: body("api") });
    await broker.connect(rig);
    await until(() => held().length === 2);
    rig.say({ [KEY("web")]: body("web", 9) });
    await until(() => broker.published.length === 2);
    expect(broker.published[1]?.put.map(({ key }) => key)).toEqual([KEY("web"), "head/amber"]);
    expect(broker.catalogue.orderOf(KEY("api"))).toEqual({ epoch: 1, seq: 1 });
  });

  test("takes nothing back while source or catalogue are not known whole", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    rig.synced = false;
    rig.say({ [KEY("web")]: null });
    await clock.pass(10_000);
    expect(held()).toEqual(["shop/web"]);
    rig.synced = true;
    await clock.pass(2000);
    await until(() => held().length === 0);
  });

  test("takes nothing back while a file cannot be read", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    rig.unread = true;
    rig.say({ [KEY("web")]: null, [KEY("api")]: body("api") });
    await until(() => held().length === 2);
    expect(held()).toEqual(["shop/api", "shop/web"]);
  });

  test("after a time without the broker sends everything in parts, each with a head that adds up there", async () => {
    await broker.connect(rig);
    rig.say({ [KEY("first")]: body("first") });
    await until(() => held().length === 1);
    broker.disconnect();
    rig.say(many(1300));
    await until(() => rig.follower.ownBodies.size === 1301);
    await broker.connect(rig);
    await clock.pass(5000);
    await until(() => held().length === 1301);
    const chunks = broker.published.slice(1);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.every(({ put }) => put.some(({ key }) => key === "head/amber"))).toBe(true);
    expect(broker.snapshots).toBe(1);
    expect(rig.follower.ownBodies.size).toBe(1301);
    expect(rig.troubles.list()).toEqual([]);
  });

  test("an answer that was lost is found out at the next welcome: nothing is sent twice", async () => {
    rig.say({ [KEY("web")]: body("web") });
    broker.loseAnswer = true;
    await broker.connect(rig);
    await until(() => broker.published.length === 1 && rig.state === "dialing");
    await broker.connect(rig);
    await clock.pass(5000);
    expect(broker.published).toHaveLength(1);
    expect(held()).toEqual(["shop/web"]);
  });

  test("asks for a snapshot of its own where the broker's head is another, and sends the difference", async () => {
    rig.say({ [KEY("web")]: body("web"), [KEY("api")]: body("api") });
    await broker.connect(rig);
    await until(() => held().length === 2);
    broker.disconnect();
    rig.say({ [KEY("web")]: null, [KEY("new")]: body("new") });
    await until(() => rig.follower.ownBodies.has(KEY("new")));
    await broker.connect(rig);
    await clock.pass(5000);
    await until(() => held().join() === "shop/api,shop/new");
    expect(broker.published.at(-1)?.remove).toEqual([KEY("web")]);
  });

  test("a snapshot of somebody else says nothing of ours", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    broker.snapshot(rig, ["birch"]);
    await clock.pass(5000);
    expect(broker.published).toHaveLength(1);
  });

  test("is silent while another gateway speaks, and goes on in a new epoch when that is over", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    broker.speaks = false;
    rig.say({ [KEY("api")]: body("api") });
    await until(() => rig.speaker.epoch === null);
    await clock.pass(6000);
    expect(held()).toEqual(["shop/web"]);
    broker.speaks = true;
    await clock.pass(4000);
    await until(() => held().length === 2);
    expect(theirs()?.head?.order.epoch).toBe(2);
    expect(broker.catalogue.orderOf(KEY("web"))?.epoch).toBe(1);
  });

  test("claims on until its epoch is above every one it has signed under: a restored broker may have forgotten", async () => {
    rig.say({ [KEY("web")]: body("web") });
    broker.epoch = 4;
    await broker.connect(rig);
    await until(() => held().length === 1);
    broker.speaks = false;
    rig.say({ [KEY("api")]: body("api") });
    await until(() => rig.speaker.epoch === null);
    Object.assign(broker, { epoch: 2, speaks: true });
    await clock.pass(5000);
    await until(() => held().length === 2);
    expect(theirs()?.head?.order.epoch).toBe(6);
  });

  test("what no frame can carry is a trouble by name, and holds up nothing else", async () => {
    const annotations = { big: "x".repeat(60_000) };
    const huge = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`a${at}`, annotations.big]));
    rig.say({ [KEY("huge")]: exportBody("huge", [], { annotations: huge }), [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    expect(rig.troubles.list().map(({ code, subject }) => [code, subject])).toEqual([
      ["export-too-large", KEY("huge")],
    ]);
    rig.say({ [KEY("huge")]: body("huge") });
    await until(() => held().length === 2);
    expect(rig.troubles.list()).toEqual([]);
  });

  test("what our own catalogue refuses is tried again, not forgotten", async () => {
    rig.say({ [KEY("web")]: exportBody("web", ["242.9.0.1"]) });
    await broker.connect(rig);
    await until(() => rig.troubles.list().length > 0);
    expect(rig.troubles.list()[0]).toMatchObject({ subject: KEY("web"), detail: expect.stringMatching(/not-owned/) });
    expect(broker.published).toEqual([]);
    rig.wanted.set(KEY("web"), body("web"));
    await clock.pass(2000);
    await until(() => held().length === 1);
  });

  test("leaves no timers behind, however often it is woken", async () => {
    await broker.connect(rig);
    for (let at = 0; at < 50; at += 1) {
      rig.speaker.changed([KEY("none")]);
      await turns(3);
    }
    expect(clock.sleeping).toBeLessThanOrEqual(1);
  });

  test("starts from its own disk: what was signed there goes up as it is", async () => {
    rig.say({ [KEY("web")]: body("web") });
    await broker.connect(rig);
    await until(() => held().length === 1);
    broker.disconnect();
    rig.say({ [KEY("late")]: body("late") });
    await until(() => rig.follower.ownBodies.has(KEY("late")));
    const order = rig.follower.catalogue.orderOf(KEY("late"));
    await rig.stop();
    rig = new Rig({ member, broker, dir, clock, wanted: rig.wanted });
    await rig.start();
    await broker.connect(rig);
    await clock.pass(5000);
    await until(() => held().length === 2);
    expect(broker.catalogue.orderOf(KEY("late"))).toEqual(order);
    expect(theirs()?.head?.order.epoch).toBe(2);
  });
});
