import { describe, expect, test } from "vitest";
import { type Cidr, type ClusterId, expect as must, type NodeName, parseIp } from "#values";
import type { GrantEntry } from "./bodies.ts";
import { Ledger } from "./ledger.ts";
import { TestMember } from "./testbed.ts";

const AMBER = "amber" as ClusterId;
const ip = (text: string) => must(parseIp(text));
const service = (name: string, address: string): GrantEntry => ({
  kind: "service",
  namespace: "shop" as never,
  name: name as never,
  address: ip(address),
});
const release = (prefix: string): GrantEntry => ({ kind: "release", prefix: prefix as Cidr });

/** A ledger that has heard grants in their order; each call is one grant record. */
function heard(...grants: readonly (readonly GrantEntry[])[]) {
  const ledger = new Ledger();
  const found = grants.map((entries, at) => ledger.apply({ number: at + 1, entries: [...entries] }));
  return { ledger, found };
}

describe("Ledger.holding()", () => {
  test("is undefined before anything was granted", () => {
    expect(heard().ledger.holding(AMBER)).toBeUndefined();
  });

  test("lists prefixes and gateways of the membership", () => {
    const { ledger } = heard(new TestMember("amber", 1).grants());
    expect(ledger.holding(AMBER)).toMatchObject({
      generation: 1,
      pods: [{ local: "10.244.0.0/16", prefix: "242.1.0.0/16" }],
      nodes: ["242.0.1.0/24"],
      gateways: [{ name: "gw", index: 0 }],
    });
    expect(ledger.owns(AMBER, ip("242.1.9.9"))).toBe(true);
    expect(ledger.owns(AMBER, ip("242.0.1.9"))).toBe(true);
    expect(ledger.owns(AMBER, ip("242.2.0.1"))).toBe(false);
  });

  test("a prefix that is released is owned no more, and may be somebody else's", () => {
    const amber = new TestMember("amber", 1);
    const thief = new TestMember("birch", 1).grants().slice(0, 1);
    const { ledger, found } = heard(amber.grants(), [release("242.1.0.0/16")], thief);
    expect(found[2]).toEqual([]);
    expect(ledger.owns(AMBER, ip("242.1.9.9"))).toBe(false);
    expect(ledger.owns("birch" as ClusterId, ip("242.1.9.9"))).toBe(true);
    expect(ledger.holding(AMBER)?.nodes).toEqual(["242.0.1.0/24"]);
  });

  test("only a release of the very prefix counts", () => {
    const { ledger } = heard(new TestMember("amber", 1).grants(), [release("242.1.0.0/17"), release("242.0.0.0/8")]);
    expect(ledger.owns(AMBER, ip("242.1.9.9"))).toBe(true);
  });

  test("a new generation has what it was granted, nothing of the one before", () => {
    const first = new TestMember("amber", 1);
    const second = new TestMember("amber", 1, 2);
    const pods = second.grants().slice(0, 1);
    const { ledger } = heard(first.grants(), pods);
    expect(ledger.holding(AMBER)).toMatchObject({ generation: 2, nodes: [], gateways: [] });
    expect(ledger.owns(AMBER, ip("242.0.1.9"))).toBe(false);
  });

  test("ends with the last thing that was held", () => {
    const amber = new TestMember("amber", 1);
    const gone: GrantEntry = { kind: "release-gateway", ...amber.who, name: "gw" as NodeName };
    const { ledger } = heard(amber.grants(), [release("242.1.0.0/16"), release("242.0.1.0/24"), gone]);
    expect(ledger.holding(AMBER)).toBeUndefined();
  });
});

describe("Ledger.apply() keeps the first of two that overlap", () => {
  test.each([
    ["the same prefix", "242.1.0.0/16"],
    ["a part of it", "242.1.128.0/17"],
    ["what holds it", "242.0.0.0/8"],
  ])("%s", (_, prefix) => {
    const other = { ...new TestMember("birch", 9).who, local: "10.0.0.0/8" as Cidr };
    const { ledger, found } = heard(new TestMember("amber", 1).grants(), [
      { kind: "pods", ...other, prefix: prefix as Cidr },
    ]);
    expect(found[1]).toEqual([{ kept: expect.stringContaining("amber"), refused: `${prefix} of member birch` }]);
    expect(ledger.holding("birch" as ClusterId)).toBeUndefined();
  });

  test("what was reserved by hand is nobody's", () => {
    const reserved: GrantEntry = { kind: "reserved", prefix: "242.1.0.0/16" as Cidr };
    const { ledger, found } = heard([reserved], new TestMember("amber", 1).grants());
    expect(found[1]).toHaveLength(1);
    expect(ledger.owns(AMBER, ip("242.1.0.1"))).toBe(false);
  });

  test("the same member may be granted its own prefix again", () => {
    const amber = new TestMember("amber", 1);
    expect(heard(amber.grants(), amber.grants()).found[1]).toEqual([]);
  });
});

describe("Ledger.serviceAddress()", () => {
  test("is an address's name and a name's address", () => {
    const { ledger } = heard([service("web", "242.192.0.1")]);
    expect(ledger.serviceAddress("shop/web")).toBe("242.192.0.1");
    expect(ledger.serviceAt(ip("242.192.0.1"))).toBe("shop/web");
  });

  test("an address belongs to the first name that has it", () => {
    const { ledger, found } = heard([service("web", "242.192.0.1")], [service("api", "242.192.0.1")]);
    expect(found[1]).toEqual([{ kept: "242.192.0.1 of shop/web", refused: "242.192.0.1 of shop/api" }]);
    expect(ledger.serviceAddress("shop/api")).toBeUndefined();
  });

  test("a name that gets another address leaves the first one free", () => {
    const { ledger, found } = heard(
      [service("web", "242.192.0.1")],
      [service("web", "242.192.0.2")],
      [service("api", "242.192.0.1")],
    );
    expect(found[2]).toEqual([]);
    expect(ledger.serviceAt(ip("242.192.0.1"))).toBe("shop/api");
    expect(ledger.serviceAt(ip("242.192.0.2"))).toBe("shop/web");
  });

  test("a release of its address frees the name; one of a wider network does not", () => {
    const given = [service("web", "242.192.0.1")];
    expect(heard(given, [release("242.192.0.0/10")]).ledger.services().size).toBe(1);
    const { ledger } = heard(given, [release("242.192.0.1/32")]);
    expect(ledger.services().size).toBe(0);
    expect(ledger.serviceAt(ip("242.192.0.1"))).toBeUndefined();
  });
});
