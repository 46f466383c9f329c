import { describe, expect, test } from "vitest";
import { catalogueOf, grant, ip, serviceGrant, TestMember } from "./testbed.ts";
import { allocationsOf, whois } from "./whois.ts";

const amber = new TestMember("amber", 1);
const birch = new TestMember("birch", 2);
const catalogue = catalogueOf(...amber.joined(), ...birch.joined(), grant(serviceGrant("web", "242.192.0.7")));

describe("whois()", () => {
  test.each([
    ["242.2.3.7", { cluster: "birch", kind: "pods", local: "10.244.3.7", name: null }],
    ["242.0.2.1", { cluster: "birch", kind: "nodes", name: "gw", local: null }],
    ["242.0.1.9", { cluster: "amber", kind: "nodes", name: null }],
    ["242.192.0.7", { cluster: null, kind: "service", namespace: "shop", name: "web" }],
  ])("%s is %j", (address, owner) => {
    expect(whois(catalogue, ip(address))).toMatchObject({ address, ...owner });
  });

  test.each(["242.77.0.1", "242.192.0.8", "10.244.3.7", "fd00::1"])("%s is nobody's", (address) => {
    expect(whois(catalogue, ip(address))).toBeUndefined();
  });
});

test("whois() finds pods that are reached directly by their own addresses, and no others", () => {
  const apart = catalogueOf(...amber.joined("10.1.0.0/16"), ...birch.joined("10.2.0.0/16"));
  const modes = new Map([[birch.cluster, { kind: "direct" }] as const]);
  const owner = { cluster: "birch", kind: "pods", local: "10.2.3.7" };
  expect(whois(apart, ip("10.2.3.7"), modes)).toMatchObject({ address: "10.2.3.7", ...owner });
  expect(whois(apart, ip("242.2.3.7"), modes)).toMatchObject({ address: "242.2.3.7", ...owner });
  expect(whois(apart, ip("10.1.3.7"), modes)).toBeUndefined();
});

describe("allocationsOf()", () => {
  test("lists everything that is granted, by kind and prefix", () => {
    expect(allocationsOf(catalogue).map(({ kind, prefix, cluster }) => `${kind} ${prefix} ${cluster}`)).toEqual([
      "nodes 242.0.1.0/24 amber",
      "nodes 242.0.2.0/24 birch",
      "pods 242.1.0.0/16 amber",
      "pods 242.2.0.0/16 birch",
      "service 242.192.0.7/32 null",
    ]);
  });

  test("every row has every field of the contract", () => {
    for (const row of allocationsOf(catalogue)) {
      expect(Object.keys(row).sort()).toEqual(
        ["cluster", "kind", "local", "name", "namespace", "prefix", "since", "state"].sort(),
      );
    }
  });

  test("is empty where nothing is known", () => {
    expect(allocationsOf(catalogueOf())).toEqual([]);
  });
});
