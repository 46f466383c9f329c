import { describe, expect, test } from "vitest";
import { createIdentityKey } from "#identity";
import type { ClusterId } from "#values";
import { DAY, TestBroker } from "./testbed.ts";
import { again, gateway, member, sibling } from "./testbed-gateway.ts";

const amberOf = (broker: TestBroker) => broker.broker.desk.clusters().find(({ id }) => id === "amber");

describe("leave", () => {
  test("takes the member's records, rests its prefixes, and everybody hears of it", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ web: amber.address() }));
    expect(await amber.client.leave(amber.leaveRecord())).toMatchObject({ ok: true });
    await basalt.until(() => basalt.catalogue.members.get(amber.cluster)?.gone === "left");
    expect(basalt.catalogue.members.get(amber.cluster)?.exports.size).toBe(0);
    expect(basalt.catalogue.ledger.holding(amber.cluster)).toBeUndefined();
    const resting = broker.broker.desk.allocations().filter(({ uid }) => uid === amber.uid);
    expect(resting.map(({ state }) => state)).toEqual(["quarantine", "quarantine"]);
  });

  test("ends the sessions of all its gateways, for good", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using two = await sibling(amber, "two").live();
    await amber.client.leave(amber.leaveRecord());
    expect(await two.refused()).toMatchObject({ code: "left", retry: false });
    await using back = again(amber);
    expect(await back.refused()).toMatchObject({ code: "left", retry: false });
  });

  test.each([
    ["another generation", { generation: 2 }],
    ["another uid", { uid: "00000000-0000-4000-8000-00000000000f" }],
    ["another cluster", { cluster: "basalt" }],
  ])("of %s is refused, and changes nothing", async (_, change) => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const before = broker.state();
    expect(await amber.client.leave(amber.leaveRecord(change))).toMatchObject({ ok: false });
    expect(broker.state()).toEqual(before);
  });

  test("that another key signed is refused", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const record = { ...amber.leaveRecord(), signature: amber.head({ epoch: 1, seq: 1 }).signature };
    expect(await amber.client.leave(record)).toMatchObject({ error: { code: "unsigned" } });
    expect(amberOf(broker)?.state).toBe("live");
  });

  test("of one gateway frees its index, and the member stays", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using two = await sibling(amber, "two").live();
    expect(two.welcome?.index).toBe(1);
    await two.publish({ put: [two.gatewayRecord()] });
    expect(await two.client.leave(null)).toMatchObject({ ok: true });
    await two[Symbol.asyncDispose]();
    await amber.until(() => amber.catalogue.ledger.holding(amber.cluster)?.gateways.length === 1);
    await using three = await sibling(amber, "three").live();
    expect(three.welcome?.index).toBe(1);
    expect([...broker.broker.desk.records()].some(({ envelope }) => envelope.key === "gateway/amber/two")).toBe(false);
  });
});

describe("evict", () => {
  test("[CVE-2026-61699] ends sessions, withdraws records and is refused the second time", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ web: amber.address() }));
    expect(broker.broker.desk.evict(amber.cluster, "admin")).toMatchObject({ ok: true });
    expect(await amber.refused()).toMatchObject({ code: "evicted", retry: false });
    await basalt.until(() => basalt.catalogue.members.get(amber.cluster)?.gone === "evicted");
    expect(broker.broker.desk.evict(amber.cluster, "admin")).toMatchObject({ ok: false, error: { code: "unknown" } });
    expect(broker.broker.desk.evict("nobody" as ClusterId, "admin")).toMatchObject({ error: { code: "unknown" } });
    expect(broker.audit().at(-1)).toBe("admin evict amber done generation 1");
  });

  test("[CVE-2026-53602] holds while the member is away, and after a restart of the broker (F63)", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    await amber[Symbol.asyncDispose]();
    broker.broker.desk.evict(amber.cluster, "admin");
    await broker.restart();
    expect(amberOf(broker)?.state).toBe("evicted");
    await using back = again(amber);
    expect(await back.refused()).toMatchObject({ code: "evicted" });
    await using fresh = await member(broker, "basalt");
    expect(fresh.catalogue.members.get(amber.cluster)?.gone).toBe("evicted");
  });
});

describe("joining again", () => {
  test("with the same key and a new token makes the next generation, with its prefixes back from quarantine", async () => {
    await using broker = await TestBroker.open();
    await using basalt = await member(broker, "basalt");
    const amber = await member(broker, "amber");
    await amber.publish(amber.says({ web: amber.address() }));
    const { prefix, epoch } = amber;
    await amber.client.leave(amber.leaveRecord());
    await amber[Symbol.asyncDispose]();
    const { uid, privateKey } = amber;
    await using back = await member(broker, "amber", { uid, privateKey });
    expect(back.welcome).toMatchObject({ generation: 2, index: 0 });
    expect(back.prefix).toBe(prefix);
    expect(back.epoch).toBeGreaterThan(epoch);
    expect(await back.publish(back.says({ web: back.address() }))).toMatchObject({ ok: true });
    await basalt.until(() => basalt.catalogue.members.get(amber.cluster)?.exports.size === 1);
    expect(basalt.catalogue.members.get(amber.cluster)).toMatchObject({ gone: null, body: { generation: 2 } });
  });

  test("needs a new token: the old one made what has ended", async () => {
    await using broker = await TestBroker.open();
    const token = broker.invite({ uses: 5 });
    const amber = await gateway(broker, { token }).live();
    broker.broker.desk.evict(amber.cluster, "admin");
    await amber[Symbol.asyncDispose]();
    await using back = gateway(broker, { token, uid: amber.uid, privateKey: amber.privateKey });
    expect(await back.refused()).toMatchObject({ code: "token-used" });
    expect(amberOf(broker)?.state).toBe("evicted");
  });

  test("with another key gets no prefix of the old one's, whatever uid it claims", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    const { prefix, uid } = amber;
    broker.broker.desk.evict(amber.cluster, "admin");
    await amber[Symbol.asyncDispose]();
    for (const cluster of ["amber", "basalt"]) {
      await using thief = gateway(broker, { cluster, token: broker.invite(), uid, privateKey: createIdentityKey() });
      expect(await thief.refused()).toMatchObject({ code: "uid-taken" });
    }
    await using other = await member(broker, "amber");
    expect(other.welcome?.generation).toBe(2);
    expect(other.prefix).not.toBe(prefix);
    await using late = gateway(broker, { cluster: "cedar", token: broker.invite(), uid });
    expect(await late.refused()).toMatchObject({ code: "uid-taken" }); // the name has another uid by now
  });

  test("gives a prefix to others only after the quarantine", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    broker.broker.desk.evict(amber.cluster, "admin");
    await amber[Symbol.asyncDispose]();
    await using basalt = await member(broker, "basalt");
    expect(basalt.prefix).toBe("242.2.0.0/16");
    broker.clock.advance(DAY);
    await expect.poll(() => broker.broker.desk.allocations().some(({ uid }) => uid === amber.uid)).toBe(false);
    await using cedar = await member(broker, "cedar");
    expect(cedar.prefix).toBe("242.1.0.0/16");
    expect(basalt.catalogue.ledger.holding(amber.cluster)).toBeUndefined();
  });
});
