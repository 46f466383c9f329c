import { describe, expect, test } from "vitest";
import { parseToken } from "#identity";
import { type Cidr, type Ip, expect as must } from "#values";
import { TestBroker } from "./testbed.ts";
import { member, sibling } from "./testbed-gateway.ts";

describe("the desk", () => {
  test("shows members with their gateways: who is connected, from where, holding what", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const two = await sibling(amber, "two").live();
    amber.client.report({ revision: 1 as never, peers: [] });
    await two[Symbol.asyncDispose]();
    const shown = () => broker.broker.desk.clusters()[0];
    await expect.poll(() => shown()?.gateways[1]?.connected).toBe(false);
    await expect.poll(() => shown()?.gateways[0]?.revision).toBe(1);
    expect(shown()).toMatchObject({
      id: "amber",
      generation: 1,
      gateways: [
        { name: "gw", index: 0, address: "127.0.0.1", connected: true, version: "test" },
        { name: "two", index: 1, address: null, connected: false, version: null },
      ],
      prefixes: [
        { kind: "pods", prefix: "242.1.0.0/16", local: "10.244.0.0/16" },
        { kind: "nodes", prefix: "242.0.1.0/24", local: null },
      ],
    });
  });

  test("shows what the gateways report of each other", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const peer = { cluster: "basalt", gateway: "gw", up: true, rttSeconds: 0.01, jitterSeconds: 0, lossRatio: 0 };
    amber.client.report({ revision: 1 as never, peers: [peer as never] });
    await expect.poll(() => broker.broker.desk.latency().length).toBe(1);
    expect(broker.broker.desk.latency()[0]).toMatchObject({
      from: { cluster: "amber", gateway: "gw" },
      to: { cluster: "basalt", gateway: "gw" },
      rttSeconds: 0.01,
    });
  });

  test("knows whose an address is, and what it stands for at its owner's", async () => {
    await using broker = await TestBroker.open();
    await using _amber = await member(broker, "amber");
    expect(broker.broker.desk.whois("242.1.3.7" as Ip)).toMatchObject({
      allocation: { cluster: "amber", kind: "pods" },
      local: "10.244.3.7",
    });
    expect(broker.broker.desk.whois("242.9.3.7" as Ip)).toBeUndefined();
  });

  test("reserves a prefix by hand; again only renews the note, and members are not alarmed", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const { desk } = broker.broker;
    const prefix = "242.9.0.0/16" as Cidr;
    expect(desk.reserve({ prefix, note: "lab" }, "admin")).toMatchObject({ ok: true, value: { kind: "reserved" } });
    expect(desk.reserve({ prefix, note: "lab two" }, "admin")).toMatchObject({ ok: true, value: { note: "lab two" } });
    const grants = [...desk.records()].filter(({ envelope }) => envelope.body.includes("reserved"));
    expect(grants).toHaveLength(1);
    expect(desk.reserve({ prefix: amber.prefix, note: "x" }, "admin")).toMatchObject({ error: { code: "conflict" } });
    expect(desk.reserve({ prefix: "10.0.0.0/8" as Cidr, note: "x" }, "admin")).toMatchObject({
      error: { code: "invalid" },
    });
    expect(broker.logged).not.toContain("own record refused");
  });

  test("shows a token once, and keeps a hash", async () => {
    await using broker = await TestBroker.open();
    const { desk } = broker.broker;
    const made = desk.invite({ cluster: null, ttlMs: 1000, uses: 2 }, "admin");
    const { secret, id, url } = must(parseToken(made.ok ? made.value.token : ""));
    expect(url).toBe("wss://127.0.0.1:7443");
    expect(desk.invites()).toMatchObject([{ id, uses: 2, used: 0, by: "admin" }]);
    expect(JSON.stringify([desk.invites(), desk.audit(0, 10)])).not.toContain(secret.reveal());
    expect(desk.revokeInvite(id, "admin")).toMatchObject({ ok: true });
    expect(desk.revokeInvite("nothing", "admin")).toMatchObject({ error: { code: "unknown" } });
  });

  test("gives the same answer to the same request under one key, and none to another", async () => {
    await using broker = await TestBroker.open();
    const { desk } = broker.broker;
    expect(desk.idempotent("k", "h")).toBeNull();
    desk.remember("k", "h", 201, "{}");
    expect(desk.idempotent("k", "h")).toEqual({ status: 201, body: "{}" });
    expect(desk.idempotent("k", "other")).toBe("other-request");
    broker.clock.advance(86_400_001);
    expect(desk.idempotent("k", "h")).toBeNull();
  });
});
