import { describe, expect, test } from "vitest";
import type { ClusterId } from "#values";
import { TestBroker } from "./testbed.ts";
import { again, gateway, member, type TestGateway } from "./testbed-gateway.ts";

const SHOP = (name: string) => `shop/${name}`;
const names = (of: TestGateway, cluster: string) =>
  [...(of.catalogue.members.get(cluster as ClusterId)?.exports.keys() ?? [])].sort();
const goneOf = (of: TestGateway, cluster: string) => of.catalogue.members.get(cluster as ClusterId)?.gone;
const statusOf = (broker: TestBroker) => broker.broker.status() as { troubles: { code: string; detail: string }[] };
const isRecovering = (broker: TestBroker) => statusOf(broker).troubles.some(({ code }) => code === "broker-recovering");
const prefixesOf = (broker: TestBroker) => {
  const rows = broker.broker.desk.allocations().filter(({ kind, state }) => kind === "pods" && state === "live");
  return new Map(rows.map(({ cluster, prefix }) => [String(cluster), prefix]));
};

/** live waits until a gateway whose session was cut has one again. */
async function relive(of: TestGateway): Promise<void> {
  await of.until(() => of.client.state !== "live");
  await of.until(() => of.client.state === "live");
}

/** synced waits until a gateway holds what the broker holds. */
const synced = (of: TestGateway, broker: TestBroker) =>
  of.until(() => of.cursor?.revision === broker.broker.desk.revision() && of.cursor);

describe("a broker restored from a backup", () => {
  test("[lighthouse PR#1472] learns from its members who joined, left and was put out, and what was said since", async () => {
    await using broker = await TestBroker.open({ quarantineMs: 0 as never });
    await using amber = await member(broker, "amber");
    const yew = await member(broker, "yew");
    const zinc = await member(broker, "zinc");
    await amber.publish(amber.says({ stays: amber.address(), goes: amber.address(8) }));
    const file = await broker.backup();
    // after the backup: xenon joins, yew leaves, zinc is put out, names come and go
    await using xenon = await member(broker, "xenon");
    await xenon.publish(xenon.says({ fresh: xenon.address() }));
    await yew.client.leave(yew.leaveRecord());
    await yew[Symbol.asyncDispose]();
    broker.broker.desk.evict("zinc" as ClusterId, "test");
    await amber.publish(amber.says({ goes: null, later: amber.address(9) }));
    await amber.claim(); // an epoch that the backup does not know
    await amber.publish(amber.says({ last: amber.address(10) }));
    const before = prefixesOf(broker);
    await synced(amber, broker);
    await synced(xenon, broker);
    const addresses = [...amber.catalogue.ledger.services()].sort();

    await broker.restore(file);
    await Promise.all([relive(amber), relive(xenon)]);
    await amber.until(() => !isRecovering(broker));
    const { desk } = broker.broker;
    const states = Object.fromEntries(desk.clusters().map(({ id, state }) => [id, state]));
    expect(states).toEqual({ amber: "live", xenon: "live", yew: "left", zinc: "evicted" });
    expect(prefixesOf(broker)).toEqual(before);
    for (const of of [amber, xenon]) {
      expect([names(of, "amber"), names(of, "xenon")]).toEqual([
        [SHOP("last"), SHOP("later"), SHOP("stays")],
        [SHOP("fresh")],
      ]);
      expect([goneOf(of, "yew"), goneOf(of, "zinc")]).toEqual(["left", "evicted"]);
    }
    expect([...amber.catalogue.ledger.services()].sort()).toEqual(addresses);
    const { epoch } = amber;
    await amber.claim();
    expect(amber.epoch).toBeGreaterThan(epoch);
    expect(await amber.publish(amber.says({ again: amber.address(11) }))).toMatchObject({ ok: true });
    await using put = again(zinc);
    expect(await put.refused()).toMatchObject({ code: "evicted", record: { key: "eviction/zinc/1" } });
    await zinc[Symbol.asyncDispose]();
    // nothing that is granted from now on was anybody's: its numbers are of another generation
    await using newcomer = await member(broker, "newcomer");
    expect([...before.values()]).not.toContain(newcomer.prefix);
  });

  test("lets nobody join and grants nothing before each known member was seen, and says whom it waits for", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const birch = await member(broker, "birch");
    const file = await broker.backup();
    await birch[Symbol.asyncDispose]();
    await broker.restore(file);
    await relive(amber);
    await amber.claim();
    await amber.publish(amber.says({ pending: amber.address() }));
    expect(amber.catalogue.ledger.serviceAddress(SHOP("pending"))).toBeUndefined();
    await using early = gateway(broker, { cluster: "cedar", token: broker.invite() });
    expect(await early.refused()).toMatchObject({ code: "recovering", retry: true, message: /waits for birch/ });
    expect(broker.broker.desk.reserve({ prefix: "242.9.0.0/16" as never, note: "" }, "t")).toMatchObject({
      error: { code: "conflict" },
    });
    await using _back = await again(birch).live();
    await early.until(() => early.client.state === "live");
    await amber.until(() => amber.catalogue.ledger.serviceAddress(SHOP("pending")));
    expect(isRecovering(broker)).toBe(false);
  });

  test("waits no more for a member that is put out, and for none when an operator accepts the loss", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    await amber[Symbol.asyncDispose]();
    const file = await broker.backup();
    await broker.restore(file);
    expect(isRecovering(broker)).toBe(true);
    await broker.restart(); // waits on
    expect(isRecovering(broker)).toBe(true);
    broker.broker.desk.evict("amber" as ClusterId, "test");
    expect(isRecovering(broker)).toBe(false);
    await broker.restore(file, true);
    expect(isRecovering(broker)).toBe(false);
    await using birch = await member(broker, "birch");
    expect(birch.prefix).not.toBe(amber.prefix);
  });

  test("takes no join token of before: it may have been used after the backup", async () => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    const file = await broker.backup();
    await using _amber = await gateway(broker, { cluster: "amber", token }).live();
    await broker.restore(file);
    await using thief = gateway(broker, { cluster: "thief", token });
    expect(await thief.refused()).toMatchObject({ code: "token-revoked" });
  });
});

test("a store that was set back under its broker becomes a new one when a member shows what it has lost", async () => {
  await using broker = await TestBroker.open();
  await using amber = await member(broker, "amber");
  const file = await broker.backup();
  await using birch = await member(broker, "birch");
  await synced(birch, broker);
  await broker.restore(file, true); // as if nobody had said that it is a restored one
  await relive(amber);
  await relive(birch);
  await expect.poll(() => prefixesOf(broker).get("birch")).toBe(birch.prefix);
  expect(broker.audit().join("\n")).toContain("recovery-begin");
});

test("a backup that is restored a second time signs under a generation that nobody has seen", async () => {
  await using broker = await TestBroker.open();
  await using amber = await member(broker, "amber");
  const file = await broker.backup();
  await broker.restore(file);
  await relive(amber);
  await amber.until(() => !isRecovering(broker));
  await using birch = await member(broker, "birch"); // granted under the second generation
  await synced(amber, broker);
  await broker.restore(file); // which is the second generation once more
  await relive(amber);
  await relive(birch);
  await amber.until(() => !isRecovering(broker));
  expect(broker.broker.book.store.generation).toBe(3);
  await using cedar = await member(broker, "cedar");
  await synced(amber, broker);
  expect([...amber.records.values()].map(({ key, order }) => `${key} ${order.epoch}`)).toContain("member/cedar 3");
  expect(new Set([amber.prefix, birch.prefix, cedar.prefix]).size).toBe(3);
});
