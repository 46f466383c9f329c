import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf, unsealed } from "#wire";
import { cacheOf } from "../hostile/gateway-witness.ts";
import { MemberDouble } from "../hostile/member-double.ts";
import { exportOf, Signer } from "../hostile/signer.ts";
import { rssOf } from "../hostile/storm.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene, type Side } from "./scene.ts";

/** Faults between gateways and the broker, and of those that speak to it. */

let scene: Scene;
let amber: Side;
let birch: Side;
beforeAll(async () => {
  scene = await Scene.raise();
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  await checkInvariants(scene);
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

const at = () => ({ url: scene.broker.url, ca: scene.broker.ca });

describe("the way to the broker", () => {
  test("F31 connections are cut in the middle of frames, again and again, under changes: all is as it was said", async () => {
    scene.relay.cutAfter(9000);
    scene.relay.cut();
    for (let i = 0; i < 30; i += 1) {
      scene.export(i % 2 === 0 ? amber : birch, `cut-${i}`);
      await pause(60);
    }
    for (let i = 0; i < 30; i += 3) scene.withdraw(i % 2 === 0 ? amber : birch, `cut-${i}`);
    expect(scene.relay.cuts).toBeGreaterThan(0);
    scene.relay.cutAfter(null);
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene, 20_000);
  });

  test("F44 many services at once, then none of them: all are seen, and all are gone", async () => {
    await scene.connected(birch);
    for (let i = 0; i < MANY; i += 1) scene.export(amber, `many-${i}`);
    await checkInvariants(scene, 10_000);
    for (let i = 0; i < MANY; i += 1) scene.withdraw(amber, `many-${i}`);
    await checkInvariants(scene, 10_000);
  });
});

/** The whole of F44 has 10,000. */
const MANY = 150;

describe("a session", () => {
  test("F37 of a reader that does not read: the broker's memory is bounded, the others go on, and it gets all later", async () => {
    const oak = new Signer("oak");
    await using slow = await MemberDouble.joined({ ...at(), signer: oak, token: await scene.broker.invite() });
    const before = await rssOf(scene.broker.daemon.child.pid ?? 0);
    slow.ws.pause();
    for (let i = 0; i < 40; i += 1) scene.export(amber, `slow-${i}`);
    await checkInvariants(scene);
    expect((await rssOf(scene.broker.daemon.child.pid ?? 0)) - before).toBeLessThan(40);
    slow.ws.resume();
    await slow.heard.first((said) => said.t === "batch" && said.put.some(({ key }) => key.endsWith("/slow-39")));
    for (let i = 0; i < 40; i += 1) scene.withdraw(amber, `slow-${i}`);
    await checkInvariants(scene);
  });

  test("F38 of the version before: it works with the features of both, and fields that nobody knows are kept", async () => {
    const elm = new Signer("elm");
    await using old = await MemberDouble.joined({ ...at(), signer: elm, token: await scene.broker.invite() });
    const order = elm.next();
    const record = unsealed(elm.exportKey("later"), order, { ...exportOf("later", [elm.address()]), later: { x: 1 } });
    elm.tally.put(record.key, order, digestOf(record));
    expect(await old.publish({ put: [record, elm.head(order)] })).toMatchObject({ t: "ack" });
    const kept = () => cacheOf(amber.place.data).find(({ key }) => key === record.key)?.body ?? "";
    for (let i = 0; i < 100 && kept() === ""; i += 1) await pause(50);
    expect(JSON.parse(kept())).toMatchObject({ later: { x: 1 } });
    elm.tally.remove(record.key);
    await old.publish({ put: [elm.head(elm.next())], remove: [record.key] });
    await checkInvariants(scene);
  });

  test.each([
    ["of a version before that", '{"t":"hello","protocols":[0,0],"features":[],"version":"0"}', "protocol"],
    ["of a version to come", '{"t":"hello","protocols":[9,12],"features":[],"version":"9"}', "protocol"],
    ["that begins with garbage", "hello", "bad-message"],
  ])("F39 %s is refused with a reason that needs no retry", async (_, hello, code) => {
    const double = new MemberDouble({ ...at(), signer: new Signer("new") });
    await new Promise((resolve) => double.ws.once("open", resolve));
    double.say(hello);
    expect(await double.heard.first()).toMatchObject({ t: "refused", code, retry: false });
    await double[Symbol.asyncDispose]();
    await checkInvariants(scene);
  });

  test("F40 of a second cluster with the same id: it is refused, both keys are named, the first is untouched", async () => {
    const token = await scene.broker.invite();
    await using double = await MemberDouble.dial({ ...at(), signer: new Signer("amber"), token });
    const refused = double.refusal();
    expect(refused).toMatchObject({ code: "duplicate-cluster", retry: false });
    expect(refused?.message.match(/sha256:[0-9a-f]{64}/g)).toHaveLength(2);
    await checkInvariants(scene);
  });
});

describe("a join token", () => {
  test("[TS-2025-007] of one use, redeemed by 40 at once, makes one member; the others are refused and written down", async () => {
    const token = await scene.broker.invite();
    const since = (await scene.broker.audit()).length;
    const tries = Array.from({ length: 40 }, (_, i) =>
      MemberDouble.dial({ ...at(), signer: new Signer(`many-${i}`), token, from: `127.0.0.${10 + i}` }),
    );
    const doubles = await Promise.all(tries);
    expect(doubles.filter((double) => double.refusal() === undefined)).toHaveLength(1);
    await Promise.all(doubles.map((double) => double[Symbol.asyncDispose]()));
    const refused = (await scene.broker.audit(since)).filter(({ outcome }) => outcome === "refused");
    expect(refused).toHaveLength(39);
    await checkInvariants(scene);
  });

  test("[CVE-2026-61699] of a member that was evicted does not bring it back, nor over a restart of the broker", async () => {
    const ash = new Signer("ash");
    const token = await scene.broker.invite("--uses", "5");
    await (await MemberDouble.joined({ ...at(), signer: ash, token }))[Symbol.asyncDispose]();
    expect(await scene.broker.evict("ash")).toBeLessThan(300);
    scene.seen.clear();
    const again = async () => {
      await using double = await MemberDouble.dial({ ...at(), signer: ash, token });
      return double.refusal()?.code;
    };
    expect(await again()).toMatch(/token-used/);
    await scene.broker.kill();
    await scene.broker.start();
    expect(await again()).toMatch(/token-used/);
    for (const side of scene.sides) await scene.connected(side);
    await checkInvariants(scene, 10_000);
  });
});
