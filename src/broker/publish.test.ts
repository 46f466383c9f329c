import { describe, expect, test } from "vitest";
import { createIdentityKey } from "#identity";
import type { Cidr } from "#values";
import { type Envelope, seal } from "#wire";
import { TestBroker } from "./testbed.ts";
import { exportKey } from "./testbed-export.ts";
import { member, type TestGateway } from "./testbed-gateway.ts";

describe("publish()", () => {
  test("stores exports with their head, grants a service address, and every member hears of both at once", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    const answer = await amber.publish(amber.says({ web: amber.address() }));
    expect(answer).toMatchObject({ ok: true, value: broker.broker.desk.revision() });
    const address = await basalt.until(() => basalt.catalogue.ledger.serviceAddress("shop/web"));
    expect(address).toMatch(/^242\.(19[2-9]|2\d\d)\./);
    expect(basalt.catalogue.members.get(amber.cluster)?.exports.has("shop/web")).toBe(true);
    expect(basalt.batches.at(-1)).toMatchObject({ revision: answer.ok ? answer.value : 0, snapshot: false });
  });

  test("gives one address to a name, whoever exports it, and the same again for a re-export", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ web: amber.address() }));
    await basalt.publish(basalt.says({ web: basalt.address() }));
    const first = await amber.until(() => amber.catalogue.ledger.serviceAddress("shop/web"));
    await amber.publish(amber.says({ web: null }));
    await basalt.publish(basalt.says({ web: null }));
    await amber.publish(amber.says({ web: amber.address(9) }));
    expect(broker.broker.desk.allocations().filter(({ kind }) => kind === "service")).toHaveLength(1);
    expect(amber.catalogue.ledger.serviceAddress("shop/web")).toBe(first);
  });

  test("of many names at once answers when all have their address, each its own", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const names = Array.from({ length: 256 }, (_, i) => [`s${i}`, amber.address()]);
    expect(await amber.publish(amber.says(Object.fromEntries(names)))).toMatchObject({ ok: true });
    const granted = broker.broker.desk.allocations().filter(({ kind }) => kind === "service");
    expect(new Set(granted.map(({ prefix }) => prefix)).size).toBe(256);
    await amber.until(() => amber.catalogue.ledger.services().size === 256);
  });

  test("of a session that ended while it was checked is not taken: its successor may have said more", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    const names = Array.from({ length: 500 }, (_, i) => [`s${i}`, amber.address()]);
    const answer = amber.publish(amber.says(Object.fromEntries(names)));
    broker.broker.desk.evict(amber.cluster, "test");
    expect(await answer).toMatchObject({ ok: false });
    await amber[Symbol.asyncDispose]();
    expect([...broker.broker.desk.records()].some(({ envelope }) => envelope.key.startsWith("export/"))).toBe(false);
  });

  test("says yes to what it has already: an answer that was lost is asked for again", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const said = amber.says({ web: amber.address() });
    await amber.publish(said);
    const before = broker.state();
    expect(await amber.publish(said)).toMatchObject({ ok: true });
    expect(broker.state()).toEqual(before);
  });
});

/** What a member may not publish; each must leave store, catalogue and every watcher as they were (T1). */
const REFUSED: readonly [string, string, (amber: TestGateway, basalt: TestGateway) => Publication][] = [
  [
    "a head of another cluster",
    "not-owner",
    (a, b) => ({ put: [{ ...a.head({ epoch: 1, seq: 9 }), key: `head/${b.cluster}` }] }),
  ],
  ["an export under another cluster's name", "not-owner", (a, b) => renamed(a, exportKey(b.cluster, "web"))],
  ["a gateway of another cluster", "not-owner", (a) => ({ put: [{ ...a.gatewayRecord(), key: "gateway/basalt/gw" }] })],
  ["another's member record", "not-owner", () => ({ put: [record("member/basalt")] })],
  ["its own member record", "not-owner", () => ({ put: [record("member/amber")] })],
  ["an eviction", "not-owner", () => ({ put: [record("eviction/basalt")] })],
  ["a grant", "not-owner", () => ({ put: [record("grant/9")] })],
  ["a leave, which has a message of its own", "not-owner", (a) => ({ put: [a.leaveRecord()] })],
  [
    "the removal of another's export",
    "not-owner",
    (a, b) => ({ ...a.says({}), remove: [exportKey(b.cluster, "web")] }),
  ],
  ["the removal of its own head", "not-owner", (a) => ({ ...a.says({}), remove: ["head/amber"] })],
  ["a body that names another cluster", "invalid", (a) => ({ put: [a.gatewayRecord({ cluster: "basalt" })] })],
  ["a body that names another gateway", "invalid", (a) => ({ put: [a.gatewayRecord({ name: "other" })] })],
  ["a record that is there twice", "invalid", (a) => ({ put: [a.gatewayRecord(), a.gatewayRecord()] })],
  ["an endpoint of another member", "not-owned", (a, b) => a.says({ web: b.address() })],
  ["an endpoint outside the supernet", "not-owned", (a) => a.says({ web: "192.0.2.1" })],
  ["an endpoint on the loopback", "not-owned", (a) => a.says({ web: "127.0.0.1" })],
  ["an unspecified endpoint", "not-owned", (a) => a.says({ web: "0.0.0.0" })],
  ["a gateway at another's node address", "not-owned", (a) => ({ put: [a.gatewayRecord({ address: "242.0.2.1" })] })],
  ["a gateway at an index that it was not granted", "not-owned", (a) => ({ put: [a.gatewayRecord({ index: 5 })] })],
  ["a gateway of another generation", "unknown-member", (a) => ({ put: [a.gatewayRecord({ generation: 2 })] })],
  ["a gateway that another key signed", "unsigned", (a) => ({ put: [forged(a.gatewayRecord())] })],
  ["a head that another key signed", "unsigned", (a) => ({ put: [forged(a.head({ epoch: a.epoch, seq: 9 }))] })],
  ["an epoch that was never granted", "not-speaker", (a) => a.says({ web: a.address() }, { epoch: 7, seq: 1 })],
  ["an epoch of the past", "not-speaker", (a) => a.says({ web: a.address() }, { epoch: 0, seq: 99 })],
  ["an older number", "stale", (a) => a.says({ web: a.address() }, { epoch: 1, seq: 0 })],
  ["other content under the same number", "equivocation", (a) => a.says({ web: a.address(99) }, { epoch: 1, seq: 1 })],
  ["exports without a head", "no-head", (a) => ({ put: a.says({ web: a.address() }).put.slice(0, 1) })],
  ["removals without a head", "no-head", () => ({ put: [], remove: [exportKey("amber" as never, "old")] })],
  [
    "records that do not add up to their head",
    "head-mismatch",
    (a) => ({ put: a.says({ web: a.address() }).put.slice(1) }),
  ],
];

interface Publication {
  readonly put: readonly Envelope[];
  readonly remove?: readonly string[];
}

describe("publish() refuses", () => {
  test.each(REFUSED)("%s (%s)", async (_, code, make) => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = await member(broker, "basalt");
    await amber.publish(amber.says({ old: amber.address() }));
    await basalt.publish(basalt.says({ web: basalt.address() }));
    await amber.until(() => amber.cursor?.revision === broker.broker.desk.revision());
    await basalt.until(() => basalt.cursor?.revision === broker.broker.desk.revision());
    const [before, heard, audited] = [broker.state(), basalt.batches.length, broker.audit().length];
    const refused = await amber.publish(make(amber, basalt));
    expect(refused).toMatchObject({ ok: false, error: { code } });
    expect(broker.state()).toEqual(before);
    expect(basalt.batches).toHaveLength(heard);
    expect(broker.audit().slice(audited)).toEqual([
      expect.stringMatching(`^cluster amber publish .* refused ${code}: `),
    ]);
    expect(amber.client.state).toBe("live");
  });

  test("more exports than a member may have", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const names = (from: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`s${from + i}`, amber.address()]));
    for (let at = 0; at < 20_000; at += 500)
      expect(await amber.publish(amber.says(names(at)))).toMatchObject({ ok: true });
    expect(await amber.publish(amber.says({ more: amber.address() }))).toMatchObject({ error: { code: "quota" } });
  }, 60_000);

  test("and writes no line for each, once a member is refused all the time", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const before = broker.audit().length;
    for (let i = 0; i < 100; i++) await amber.publish({ put: [record("grant/1")] });
    expect(broker.audit().length - before).toBe(20);
    broker.clock.advance(30_000);
    await expect
      .poll(() => broker.audit().at(-1))
      .toContain("80 refusals have no line of their own: 80 of cluster amber");
  });
});

function record(key: string): Envelope {
  return seal(createIdentityKey(), key, { epoch: 9, seq: 9 }, { cluster: key.split("/")[1] as unknown as Cidr });
}

function forged({ key, order, body }: Envelope): Envelope {
  return seal(createIdentityKey(), key, order, JSON.parse(body));
}

function renamed(amber: TestGateway, key: string): Publication {
  const { put } = amber.says({ web: amber.address() });
  return { put: put.map((envelope) => (envelope.key.startsWith("export/") ? { ...envelope, key } : envelope)) };
}
