import { describe, expect, test } from "vitest";
import { expect as must, parseCidr, parseIp } from "#values";
import { type Allocation, globalAddress, prefixesFrom, seenAs } from "./prefixes.ts";

const cidr = (text: string) => must(parseCidr(text));

function entry(
  cluster: string,
  kind: "pods" | "nodes",
  prefix: string,
  state: Allocation["state"] = "live",
): Allocation {
  const local = kind === "pods" ? cidr("10.244.0.0/16") : null;
  return { cluster, kind, prefix: cidr(prefix), local, namespace: null, name: null, state };
}

const GOOD: readonly Allocation[] = [
  entry("amber", "pods", "242.1.0.0/16"),
  entry("amber", "nodes", "242.0.1.0/24"),
  entry("birch", "pods", "242.2.0.0/16"),
  entry("birch", "nodes", "242.0.2.0/24"),
];

const pod = (cluster: string) => {
  const run = { id: "x", folder: "/x" };
  const base = { run, cluster, pid: 1, address: must(parseIp("10.244.1.10")) };
  const range = { podRange: cidr("10.244.1.0/24"), bridge: must(parseIp("10.244.1.1")), number: 1 };
  const node = { ...base, ...range, name: `${cluster}-1`, address: must(parseIp("172.31.0.11")) };
  return { node, pod: { ...base, name: `${cluster}-web-0`, hostname: "web-0", node } };
};

describe("prefixesFrom()", () => {
  test("prefixesFrom() gives each member's pods and nodes", () => {
    const prefixes = prefixesFrom(GOOD, ["amber", "birch"]);
    expect(prefixes.get("birch")).toEqual({ pods: "242.2.0.0/16", nodes: "242.0.2.0/24" });
  });

  test("prefixesFrom() fails on prefixes that overlap", () => {
    const bad = [...GOOD, entry("cedar", "pods", "242.2.128.0/17")];
    expect(() => prefixesFrom(bad, ["amber"])).toThrow("242.2.0.0/16 overlaps 242.2.128.0/17");
  });

  test("prefixesFrom() fails on a prefix outside the supernet", () => {
    expect(() => prefixesFrom([entry("amber", "pods", "10.1.0.0/16")], [])).toThrow("outside 242.0.0.0/8");
  });

  test("prefixesFrom() fails when a member has none, or none for its nodes", () => {
    expect(() => prefixesFrom(GOOD, ["cedar"])).toThrow("cedar has one for 10.244.0.0/16, not 0");
    expect(() => prefixesFrom(GOOD.slice(0, 1), ["amber"])).toThrow("amber has one for its nodes");
  });

  test("prefixesFrom() does not look at what rests in quarantine", () => {
    const old = entry("gone", "pods", "242.1.0.0/16", "quarantine");
    expect(prefixesFrom([...GOOD, old], ["amber"]).get("amber")?.pods).toBe("242.1.0.0/16");
  });
});

describe("seenAs()", () => {
  const prefixes = prefixesFrom(GOOD, ["amber", "birch"]);

  test("globalAddress() keeps the host bits", () => {
    expect(globalAddress({ pods: cidr("242.2.0.0/16"), nodes: cidr("242.0.2.0/24") }, pod("birch").pod)).toBe(
      "242.2.1.10",
    );
  });

  test("seenAs() is one address for a pod, and the node prefix for a process of a node", () => {
    expect(seenAs(prefixes, pod("birch").pod)).toBe("242.2.1.10/32");
    expect(seenAs(prefixes, pod("amber").node)).toBe("242.0.1.0/24");
    expect(() => seenAs(prefixes, pod("cedar").pod)).toThrow("cedar has some");
  });
});
