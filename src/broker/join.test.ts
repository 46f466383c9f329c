import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createIdentityKey, parseToken, signProof } from "#identity";
import { type Cidr, expect as must } from "#values";
import { DAY, TestBroker } from "./testbed.ts";
import { again, gateway, member, sibling } from "./testbed-gateway.ts";

describe("joining by a token", () => {
  test("makes a member with prefixes, node addresses and an index, at revision 1", async () => {
    await using broker = await TestBroker.open();
    await using amber = await gateway(broker, { token: broker.invite() }).live();
    const holding = amber.catalogue.ledger.holding(amber.cluster);
    expect(holding).toMatchObject({ uid: amber.uid, generation: 1, nodes: ["242.0.1.0/24"] });
    expect(holding?.pods).toMatchObject([{ local: "10.244.0.0/16", prefix: "242.1.0.0/16" }]);
    expect(amber.welcome).toMatchObject({ index: 0, revision: 1, seen: "127.0.0.1", supernets: ["242.0.0.0/8"] });
    expect(broker.broker.desk.clusters()).toMatchObject([
      { id: "amber", fingerprint: amber.fingerprint, state: "live" },
    ]);
    expect(broker.audit().at(-1)).toContain("joined from 127.0.0.1, granted pods 242.1.0.0/16, nodes 242.0.1.0/24");
  });

  test("is not needed again: the key is enough", async () => {
    await using broker = await TestBroker.open();
    const first = await member(broker, "amber");
    await first[Symbol.asyncDispose]();
    await using second = await again(first).live();
    expect(second.prefix).toBe(first.prefix);
    expect(broker.broker.desk.revision()).toBe(1);
  });

  test("refuses a second key for a taken name, and shows both fingerprints (F40)", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const before = broker.state();
    await using thief = gateway(broker, { token: broker.invite() });
    const { code, message, retry } = await thief.refused();
    expect({ code, retry }).toEqual({ code: "duplicate-cluster", retry: false });
    expect(message).toContain(amber.fingerprint);
    expect(message).toContain(thief.fingerprint);
    expect(broker.state()).toEqual(before);
    expect(broker.audit().at(-1)).toContain("amber/gw refused duplicate-cluster");
    expect(amber.client.state).toBe("live");
  });

  test.each([
    ["pods", { pods: [{ cidr: "242.5.0.0/16" as Cidr, wanted: null }] }, "a pod CIDR"],
    ["services", { services: ["242.240.0.0/16" as Cidr] }, "a service CIDR"],
    ["routes", { routes: [{ cidr: "240.0.0.0/4" as Cidr, what: "a route by dev eth0" }] }, "a route by dev eth0"],
  ])("refuses %s that overlap the supernet, naming both, and the token stays good", async (_, network, what) => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    await using wrong = gateway(broker, { token, network });
    const { code, message } = await wrong.refused();
    expect(code).toBe("overlap");
    expect(message).toContain("242.0.0.0/8");
    expect(message).toContain(what);
    await using right = await gateway(broker, { token }).live();
    expect(right.prefix).toBe("242.1.0.0/16");
  });

  test("refuses a prefix by hand that somebody has, naming the owner, and grants nothing by halves", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const before = broker.state();
    const pods = [
      { cidr: "10.1.0.0/16" as Cidr, wanted: null },
      { cidr: "10.2.0.0/16" as Cidr, wanted: amber.prefix },
    ];
    await using basalt = gateway(broker, { cluster: "basalt", token: broker.invite(), network: { pods } });
    const { code, message } = await basalt.refused();
    expect([code, message]).toEqual(["overlap", expect.stringContaining("the pods of cluster amber")]);
    expect(broker.state()).toEqual(before);
  });
});

describe("a token (T2)", () => {
  test.each([
    ["guessed", (broker: TestBroker) => broker.invite(), "token-unknown"],
    ["for another cluster", (broker: TestBroker) => broker.invite({ cluster: "basalt" }), "token-other-cluster"],
    ["revoked", (broker: TestBroker) => revoked(broker), "token-revoked"],
    ["expired [CVE-2026-55513]", (broker: TestBroker) => expired(broker), "token-expired"],
  ])("that is %s makes no member", async (how, make, code) => {
    await using broker = await TestBroker.open();
    const token = make(broker);
    const before = broker.state();
    await using amber = gateway(broker, { token, guess: how === "guessed" });
    expect(await amber.refused()).toMatchObject({ code, retry: false });
    expect(broker.state()).toEqual(before);
    expect(broker.audit().at(-1)).toContain(code);
  });

  test("[TS-2025-007] [GHSA-ghmh-jhmj-wcmf] makes one member of 200 that redeem it at once, and leaves no trace of itself", async () => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    const secret = must(parseToken(token)).secret.reveal();
    const crowd = Array.from({ length: 200 }, (_, i) => gateway(broker, { token, cluster: `c${i}` }));
    await Promise.all(crowd.map((one) => one.until(() => one.client.state === "live" || one.refusals.length > 0)));
    expect(crowd.filter((one) => one.client.state === "live")).toHaveLength(1);
    expect(new Set(crowd.flatMap((one) => one.refusals.map(({ code }) => code)))).toEqual(new Set(["token-used"]));
    expect(broker.broker.desk.clusters()).toHaveLength(1);
    await Promise.all(crowd.map((one) => one[Symbol.asyncDispose]()));
    const files = readdirSync(broker.dir).map((name) => readFileSync(join(broker.dir, name)));
    const traces = [...files, Buffer.from(broker.logged), Buffer.from(JSON.stringify(broker.audit()))];
    const forms = [secret, token, Buffer.from(secret, "base64url"), Buffer.from(secret, "base64url").toString("hex")];
    for (const text of traces) for (const form of forms) expect(text.includes(form)).toBe(false);
    expect(broker.audit().length).toBeLessThan(30);
  });

  test("guessed too often locks the address out of joining, and no member", async () => {
    await using broker = await TestBroker.open();
    const good = broker.invite();
    await using amber = await member(broker, "amber");
    for (let i = 0; i < 20; i++) {
      await using guess = gateway(broker, { token: good, guess: true, cluster: `g${i}` });
      expect(await guess.refused()).toMatchObject({ code: "token-unknown" });
    }
    await using locked = gateway(broker, { token: good, cluster: "late" });
    expect(await locked.refused()).toMatchObject({ code: "locked-out", retry: true });
    await locked[Symbol.asyncDispose]();
    await amber[Symbol.asyncDispose]();
    await using back = await again(amber).live();
    expect(back.client.state).toBe("live");
    broker.clock.advance(60_000);
    await using late = await gateway(broker, { token: good, cluster: "later" }).live();
    expect(late.client.state).toBe("live");
  });
});

describe("a crash in a join", () => {
  test("of the broker, between commit and welcome: the same key is a member, once", async () => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    const first = gateway(broker, { token });
    const gone = Promise.withResolvers<void>();
    broker.broker.desk.onChange(() => gone.resolve(first[Symbol.asyncDispose]()));
    await gone.promise;
    expect(first.welcome).toBeNull();
    await broker.restart();
    await using second = await gateway(broker, { token, uid: first.uid, privateKey: first.privateKey }).live();
    expect(second.welcome).toMatchObject({ generation: 1, index: 0 });
    expect(broker.broker.desk.clusters()).toHaveLength(1);
    expect(broker.broker.desk.allocations()).toHaveLength(2);
  });

  test("of the gateway, before its identity was on its disk: it redeems again, after the expiry too", async () => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    const first = await gateway(broker, { token }).live();
    await first[Symbol.asyncDispose]();
    broker.clock.advance(2 * DAY);
    const { uid, privateKey } = first;
    await using second = await gateway(broker, { token, uid, privateKey }).live();
    expect(second.prefix).toBe(first.prefix);
    expect(broker.broker.desk.invites()).toMatchObject([{ used: 1 }]);
    expect(broker.broker.desk.revision()).toBe(1);
  });
});

describe("a login is refused", () => {
  test.each([
    [
      "whose proof another key made",
      "bad-proof",
      (_: never, b: never, who: object) => ({
        proof: signProof(createIdentityKey(), { ...(b as object), ...who } as never),
      }),
    ],
    ["whose proof is for another gateway", "bad-proof", () => ({ gateway: "other" })],
    ["whose proof is for another cluster", "bad-proof", () => ({ cluster: "other" })],
  ])("%s", async (_, code, change) => {
    await using broker = await TestBroker.open();
    const token = broker.invite();
    await using wrong = gateway(broker, {
      token,
      forge: (login, binding) => ({ ...login, ...change(login as never, binding as never, login) }) as never,
    });
    expect(await wrong.refused()).toMatchObject({ code });
    expect(broker.broker.desk.clusters()).toEqual([]);
    await using right = await gateway(broker, { token }).live();
    expect(right.client.state).toBe("live");
  });

  test("without a token, of a cluster that is no member", async () => {
    await using broker = await TestBroker.open();
    await using stranger = gateway(broker);
    expect(await stranger.refused()).toMatchObject({ code: "unknown-member", retry: false });
  });

  test("with the uid of another member, which would bring that one's prefixes", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    await using basalt = gateway(broker, { cluster: "basalt", token: broker.invite(), uid: amber.uid });
    expect(await basalt.refused()).toMatchObject({ code: "uid-taken" });
  });

  test("under a name that another host uses now, and grants it nothing", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const before = broker.state();
    await using copy = sibling(amber, "gw", { tunnelKey: Buffer.alloc(32, 9).toString("base64") });
    const { code, message, retry } = await copy.refused();
    expect([code, retry]).toEqual(["name-in-use", true]);
    expect(message).toContain("127.0.0.1");
    expect(broker.state()).toEqual(before);
    expect(amber.client.state).toBe("live");
    broker.clock.advance(15_000);
    await using later = await sibling(amber, "gw", { tunnelKey: Buffer.alloc(32, 9).toString("base64") }).live();
    expect(later.client.state).toBe("live");
  });

  test("from a sibling that was told another network, both shown", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const network = { pods: [{ cidr: "10.245.0.0/16" as Cidr, wanted: null }] };
    await using odd = sibling(amber, "two", { network });
    const { code, message } = await odd.refused();
    expect(code).toBe("sibling-differs");
    expect(message).toMatch(/gw has pods 10\.244\.0\.0\/16.*two has pods 10\.245\.0\.0\/16/);
    await using two = await sibling(amber, "two").live();
    expect(two.welcome?.index).toBe(1);
  });

  test("as the ninth gateway of a member", async () => {
    await using broker = await TestBroker.open();
    await using amber = await member(broker, "amber");
    const siblings = Array.from({ length: 7 }, (_, i) => sibling(amber, `s${i}`));
    await Promise.all(siblings.map((one) => one.live()));
    await using ninth = sibling(amber, "ninth");
    expect(await ninth.refused()).toMatchObject({
      code: "no-index",
      message: expect.stringContaining("leave --gateway"),
    });
    await Promise.all(siblings.map((one) => one[Symbol.asyncDispose]()));
  });
});

test("another prefix by hand takes the first back from everybody, and it rests", async () => {
  await using broker = await TestBroker.open();
  await using basalt = await member(broker, "basalt");
  const first = await member(broker, "amber");
  await first[Symbol.asyncDispose]();
  const pods = [{ cidr: "10.244.0.0/16" as Cidr, wanted: "242.77.0.0/16" as Cidr }];
  await using second = await again(first, { network: { pods } }).live();
  const seen = await basalt.until(() => {
    const all = basalt.catalogue.ledger.holding(second.cluster)?.pods ?? [];
    return all.some(({ prefix }) => prefix === "242.77.0.0/16") ? all : undefined;
  });
  expect(seen.map(({ prefix }) => prefix)).toEqual(["242.77.0.0/16"]);
  expect(broker.broker.desk.whois("242.2.0.9" as never)?.allocation).toMatchObject({
    state: "quarantine",
    uid: first.uid,
  });
});

function revoked(broker: TestBroker): string {
  const token = broker.invite();
  broker.broker.desk.revokeInvite(must(parseToken(token)).id, "test");
  return token;
}

function expired(broker: TestBroker): string {
  const token = broker.invite({ ttlMs: 1000 });
  broker.clock.advance(1000);
  return token;
}
