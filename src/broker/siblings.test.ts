import { describe, expect, test, vi } from "vitest";
import type { NodeName } from "#values";
import type { Login } from "#wire";
import { Presence } from "./presence.ts";
import { SimClock, TestBroker } from "./testbed.ts";
import { again, member, sibling } from "./testbed-gateway.ts";

const HOUR = 3_600_000;
const holders = (broker: TestBroker) =>
  broker.broker.desk.clusters()[0]?.gateways.map(({ name, index }) => `${name} ${index}`) ?? [];

describe("several gateways of one member", () => {
  test("get an index each, the lowest that is free, and keep it", async () => {
    await using broker = await TestBroker.open();
    await using one = await member(broker, "amber", { name: "one" });
    await using _two = await sibling(one, "two").live();
    const three = await sibling(one, "three").live();
    expect(holders(broker)).toEqual(["one 0", "two 1", "three 2"]);
    await three[Symbol.asyncDispose]();
    await using back = await sibling(one, "three").live();
    expect(back.welcome?.index).toBe(2);
  });

  test.each([
    [
      "another pod network",
      { network: { pods: [{ cidr: "10.99.0.0/16" as never, wanted: null }] } },
      "pods 10.99.0.0/16",
    ],
    ["another source", { source: "uid-2" }, "source uid-2"],
  ])("one with %s is refused, and both are shown", async (_, change, shown) => {
    await using broker = await TestBroker.open();
    await using one = await member(broker, "amber", { name: "one", source: "uid-1" });
    await using two = sibling(one, "two", change);
    const { code, message, retry } = await two.refused();
    expect([code, retry]).toEqual(["sibling-differs", true]);
    expect(message).toContain("one has pods 10.244.0.0/16");
    expect(message).toContain("two has");
    expect(message).toContain(shown);
    expect(broker.audit().at(-1)).toContain("sibling-differs");
  });

  test("an identity that was copied to another host is refused, and both are shown", async () => {
    await using broker = await TestBroker.open();
    const host = (mark: string) => ({
      forge: (login: Login) => ({ ...login, host: mark }),
    });
    await using one = await member(broker, "amber", { name: "gw", ...host("aaaaaaaa-1") });
    await using copy = again(one, host("bbbbbbbb-2"));
    const { code, message } = await copy.refused();
    expect(code).toBe("name-in-use");
    expect(message).toMatch(/in use from 127\.0\.0\.1.*host aaaaaaaa; this one is 127\.0\.0\.1.*host bbbbbbbb/);
    expect(one.client.state).toBe("live");
    await using self = again(one, host("aaaaaaaa-1")); // the same daemon after a crash
    await self.live();
  });

  test("a daemon with a name in use and another tunnel key is refused with the other's address", async () => {
    await using broker = await TestBroker.open();
    await using one = await member(broker, "amber");
    await using two = again(one, { tunnelKey: Buffer.alloc(32, 9).toString("base64") });
    expect((await two.refused()).message).toContain("is in use from 127.0.0.1");
  });
});

describe("a gateway that was silent for a day", () => {
  test("is taken out by the speaker alone, and its index is free again", async () => {
    await using broker = await TestBroker.open();
    const silent: NodeName[] = [];
    await using one = await member(broker, "amber", { name: "one", onSilent: (names) => silent.push(...names) });
    await (await sibling(one, "two").live())[Symbol.asyncDispose]();
    await using three = await sibling(one, "three").live();
    expect(await one.client.withdraw("two" as NodeName)).toMatchObject({ error: { code: "not-silent" } });
    for (let hour = 0; hour < 25; hour += 1) {
      broker.clock.advance(HOUR); // housekeeping looks, and counts on
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    await one.until(() => silent.length > 0);
    expect(new Set(silent)).toEqual(new Set(["two"]));
    expect(await three.client.withdraw("two" as NodeName)).toMatchObject({ error: { code: "not-speaker" } });
    expect(await one.client.withdraw("two" as NodeName)).toMatchObject({ ok: true });
    expect(holders(broker)).toEqual(["one 0", "three 2"]);
    await using four = await sibling(one, "four").live();
    expect(four.welcome?.index).toBe(1);
  });

  test("is counted by time that passed, also over restarts of the broker, and by no clock that jumps", async () => {
    await using broker = await TestBroker.open();
    await using one = await member(broker, "amber", { name: "one" });
    await (await sibling(one, "two").live())[Symbol.asyncDispose]();
    await vi.waitUntil(() => broker.broker.desk.clusters()[0]?.gateways[1]?.connected === false);
    const clock = new SimClock();
    const book = broker.broker.book;
    const nobody = {
      find: (_: unknown, name: NodeName) => (name === "one" ? { link: { features: [] } } : undefined),
    } as never;
    const presence = new Presence(book, nobody, clock);
    for (let at = 0; at < 13; at += 1) {
      clock.advance(HOUR);
      presence.look();
    }
    const later = new Presence(book, nobody, new SimClock(Date.now() + 1000 * 24 * HOUR));
    later.look();
    expect(later.isSilent(one.cluster, "two" as NodeName)).toBe(false); // 13 hours, whatever the calendar says
    const third = new SimClock();
    const next = new Presence(book, nobody, third);
    for (let at = 0; at < 12; at += 1) {
      third.advance(HOUR);
      next.look();
    }
    expect(next.isSilent(one.cluster, "two" as NodeName)).toBe(true);
  });
});
