import { describe, expect, test } from "vitest";
import { Catalogue } from "./catalogue.ts";
import type { Envelope } from "./record.ts";
import { seal } from "./signature.ts";
import { allocationKey, candidatesOf, grant, TestMember } from "./testbed.ts";

/** A catalogue that knows members a (1) and b (2) with their grants. */
function clusterset() {
  const a = new TestMember("amber", 1);
  const b = new TestMember("birch", 2);
  const catalogue = new Catalogue();
  catalogue.apply(candidatesOf(grant(1, ...a.grants()), grant(2, ...b.grants()), a.member(), b.member()));
  return { a, b, catalogue };
}

function codes(catalogue: Catalogue, ...put: readonly Envelope[]): readonly string[] {
  return catalogue.apply(candidatesOf(...put)).refusals.map(({ code }) => code);
}

describe("Catalogue.apply()", () => {
  test("takes a member's exports together with a head that adds up", () => {
    const { a, catalogue } = clusterset();
    const { put } = a.says({ web: "242.1.3.7", api: "242.1.3.8" });
    const applied = catalogue.apply(candidatesOf(...put));
    expect(applied.refusals).toEqual([]);
    expect([...applied.exports].sort()).toEqual(["shop/api", "shop/web"]);
    expect(catalogue.members.get(a.cluster)?.exports.size).toBe(2);
  });

  test("takes nothing of a batch whose records do not add up, and asks for that member", () => {
    const { a, catalogue } = clusterset();
    const { put } = a.says({ web: "242.1.3.7", api: "242.1.3.8" });
    const applied = catalogue.apply(candidatesOf(...put.slice(1)));
    expect(applied.refusals.map(({ code }) => code)).toEqual(["head-mismatch"]);
    expect([...applied.mismatched]).toEqual(["amber"]);
    expect(catalogue.members.get(a.cluster)?.exports.size).toBe(0);
    expect(catalogue.apply(candidatesOf(...put)).refusals).toEqual([]);
  });

  test("removes only what is absent under a newer head that matches", () => {
    const { a, catalogue } = clusterset();
    catalogue.apply(candidatesOf(...a.says({ web: "242.1.3.7", api: "242.1.3.8" }).put));
    const key = a.exportKey("web");
    expect(catalogue.apply([], [key]).removed).toEqual([]);
    expect(catalogue.apply([], [], true).removed).toEqual([]);
    const { put, removed } = a.says({ web: null });
    expect(catalogue.apply(candidatesOf(...put), removed).removed).toEqual([key]);
    expect([...(catalogue.members.get(a.cluster)?.exports.keys() ?? [])]).toEqual(["shop/api"]);
  });

  test("removes by a snapshot what its head does not count", () => {
    const { a, catalogue } = clusterset();
    const first = a.says({ web: "242.1.3.7", api: "242.1.3.8" }).put;
    catalogue.apply(candidatesOf(...first));
    const { put } = a.says({ web: null });
    const api = first.filter(({ key }) => key === a.exportKey("api"));
    const applied = catalogue.apply(candidatesOf(...api, ...put), [], true);
    expect(applied.refusals).toEqual([]);
    expect(applied.removed).toEqual([a.exportKey("web")]);
  });

  test("an empty snapshot deletes nothing", () => {
    const { a, catalogue } = clusterset();
    catalogue.apply(candidatesOf(...a.says({ web: "242.1.3.7" }).put));
    expect(catalogue.apply([], [], true)).toMatchObject({ removed: [], accepted: [] });
    expect(catalogue.live()).toHaveLength(2);
  });

  test("ignores what is not newer: a replay changes nothing", () => {
    const { a, catalogue } = clusterset();
    const first = a.says({ web: "242.1.3.7" });
    const second = a.says({ web: "242.1.9.9" });
    catalogue.apply(candidatesOf(...first.put));
    catalogue.apply(candidatesOf(...second.put));
    expect(catalogue.apply(candidatesOf(...first.put)).accepted).toEqual([]);
    expect(catalogue.members.get(a.cluster)?.exports.get("shop/web")?.slices[0]?.endpoints[0]?.address).toBe(
      "242.1.9.9",
    );
  });

  test("shows two contents under one order as equivocation", () => {
    const { a, catalogue } = clusterset();
    catalogue.apply(candidatesOf(a.gateway()));
    expect(codes(catalogue, a.gateway({ version: "2" }))).toEqual(["equivocation"]);
  });
});

describe("Catalogue.apply() refuses what is not the signer's (T1, F60)", () => {
  test.each([
    ["an address of another member", "242.2.0.5"],
    ["an address of nobody", "242.77.0.5"],
    ["a pod's own address", "10.244.0.5"],
    ["a service address", "242.192.0.1"],
    ["loopback", "127.0.0.1"],
  ])("an endpoint at %s", (_, address) => {
    const { a, catalogue } = clusterset();
    expect(codes(catalogue, ...a.says({ web: address }).put)).toEqual(["not-owned"]);
    expect(catalogue.members.get(a.cluster)?.exports.size).toBe(0);
  });

  test.each([
    ["another member's node address", { address: "242.0.2.1" }],
    ["an index that was not granted", { index: 3 }],
  ])("a gateway with %s", (_, change) => {
    const { a, catalogue } = clusterset();
    expect(codes(catalogue, a.gateway(change))).toEqual(["not-owned"]);
  });

  test("a gateway record signed by another member", () => {
    const { a, b, catalogue } = clusterset();
    const { body, order } = a.gateway();
    expect(codes(catalogue, seal(b.privateKey, "gateway/amber/gw", order, JSON.parse(body)))).toEqual(["unsigned"]);
  });

  test("a head signed by another member", () => {
    const { b, catalogue } = clusterset();
    const impostor = new TestMember("amber", 1, 1, b.privateKey);
    expect(codes(catalogue, ...impostor.says({ web: "242.1.3.7" }).put)).toEqual(["unsigned"]);
  });

  test("a second key for a live member", () => {
    const { catalogue } = clusterset();
    const other = new TestMember("amber", 9);
    const swapped = seal(
      allocationKey,
      "member/amber",
      { epoch: 1, seq: 2 },
      { ...other.who, key: JSON.parse(other.member().body).key, joinedAt: 1, generation: 1 },
    );
    expect(codes(catalogue, swapped)).toEqual(["key-swap"]);
  });

  test("a new generation without the end of the one before", () => {
    const { catalogue } = clusterset();
    expect(codes(catalogue, new TestMember("amber", 1, 2).member())).toEqual(["key-swap"]);
  });

  test("a grant that overlaps a live one: the first stays", () => {
    const { a, catalogue } = clusterset();
    const thief = new TestMember("cedar", 1);
    expect(codes(catalogue, grant(3, ...thief.grants()))).toEqual(["overlap", "overlap"]);
    expect(catalogue.ledger.owns(a.cluster, "242.1.0.9" as never)).toBe(true);
    expect(catalogue.ledger.owns(thief.cluster, "242.1.0.9" as never)).toBe(false);
  });
});

describe("Catalogue.apply() ends memberships", () => {
  const endedAt = 5;

  test("by the member's own signed leave: its records go, others stay", () => {
    const { a, b, catalogue } = clusterset();
    catalogue.apply(
      candidatesOf(a.gateway(), ...a.says({ web: "242.1.3.7" }).put, ...b.says({ web: "242.2.3.7" }).put),
    );
    const leave = seal(a.privateKey, "leave/amber", { epoch: 1, seq: 1 }, { ...a.who, leftAt: endedAt });
    const applied = catalogue.apply(candidatesOf(leave));
    expect(applied.removed.sort()).toEqual(["export/amber/shop/web", "gateway/amber/gw", "head/amber"]);
    expect(catalogue.live().map(({ cluster }) => cluster)).toEqual(["birch"]);
  });

  test("not by a leave that somebody else signed", () => {
    const { a, b, catalogue } = clusterset();
    const leave = seal(b.privateKey, "leave/amber", { epoch: 1, seq: 1 }, { ...a.who, leftAt: endedAt });
    expect(codes(catalogue, leave)).toEqual(["unsigned"]);
    expect(catalogue.live()).toHaveLength(2);
  });

  test("by the broker's eviction, after which the next generation may have another key", () => {
    const { a, catalogue } = clusterset();
    const eviction = seal(allocationKey, "eviction/amber", { epoch: 1, seq: 1 }, { ...a.who, evictedAt: endedAt });
    expect(codes(catalogue, eviction)).toEqual([]);
    expect(codes(catalogue, a.gateway())).toEqual(["unknown-member"]);
    expect(codes(catalogue, new TestMember("amber", 1, 2).member())).toEqual([]);
    expect(catalogue.live()).toHaveLength(2);
  });

  test("an old eviction does not end a newer generation", () => {
    const { a, catalogue } = clusterset();
    const eviction = seal(allocationKey, "eviction/amber", { epoch: 1, seq: 1 }, { ...a.who, evictedAt: endedAt });
    catalogue.apply(candidatesOf(eviction));
    catalogue.apply(candidatesOf(new TestMember("amber", 1, 2).member()));
    catalogue.apply(candidatesOf(eviction));
    expect(catalogue.members.get(a.cluster)?.gone).toBeNull();
  });
});
