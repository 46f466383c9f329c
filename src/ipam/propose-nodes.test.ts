import { describe, expect, test } from "vitest";
import { cluster, ipamOf, join, later, net, nodes, pods, prefixOf, refusalOf, release, T0, uid } from "./testbed.ts";

describe("proposeNodes()", () => {
  test("the n-th member gets 242.0.n.0/24, from n = 1", () => {
    const ipam = ipamOf();
    expect([1, 2, 3].map((n) => prefixOf(nodes(ipam, n)))).toEqual(["242.0.1.0/24", "242.0.2.0/24", "242.0.3.0/24"]);
  });

  test("asked again, a member gets what it has", () => {
    const ipam = ipamOf();
    const first = nodes(ipam, 1);
    expect(nodes(ipam, 1, { now: later(9) })).toEqual(first);
    expect(ipam.list()).toHaveLength(1);
  });

  test("one more comes from the numbers that no member can have", () => {
    const ipam = ipamOf();
    nodes(ipam, 1);
    expect(prefixOf(nodes(ipam, 1, { more: true }))).toBe("242.0.192.0/24");
    expect(prefixOf(nodes(ipam, 1, { more: true }))).toBe("242.0.193.0/24");
    expect(prefixOf(nodes(ipam, 2))).toBe("242.0.2.0/24");
  });

  test("without more it returns all blocks, the member's number first", () => {
    const ipam = ipamOf();
    nodes(ipam, 1);
    nodes(ipam, 1, { more: true });
    expect(ipam.proposeNodes({ cluster: cluster(1), uid: uid(1), family: 4 }, T0)).toMatchObject({
      value: [{ prefix: "242.0.1.0/24" }, { prefix: "242.0.192.0/24" }],
    });
  });

  test("a member that comes back gets all its blocks back at once", () => {
    const ipam = ipamOf();
    nodes(ipam, 1);
    nodes(ipam, 1, { more: true });
    release(ipam, { uid: uid(1) });
    expect(prefixOf(nodes(ipam, 2))).toBe("242.0.2.0/24");
    expect(ipam.proposeNodes({ cluster: cluster(1), uid: uid(1), family: 4 }, later(1))).toMatchObject({
      value: [
        { prefix: "242.0.1.0/24", state: "live" },
        { prefix: "242.0.192.0/24", state: "live" },
      ],
    });
  });

  test("one more is a resting block of the member, if it has one", () => {
    const ipam = ipamOf();
    nodes(ipam, 1);
    nodes(ipam, 1, { more: true });
    release(ipam, { prefix: net("242.0.192.0/24") });
    expect(nodes(ipam, 1, { more: true, now: later(1) })).toMatchObject({ prefix: "242.0.192.0/24", since: later(1) });
  });

  test("255 blocks, then the pool is exhausted; block 0 is never given", () => {
    const ipam = ipamOf();
    const all = Array.from({ length: 255 }, (_, i) => prefixOf(nodes(ipam, i + 1)));
    expect(new Set(all).size).toBe(255);
    expect(all).not.toContain("242.0.0.0/24");
    expect(refusalOf(nodes(ipam, 256))).toBe("pool-exhausted: no /24 is free in the nodes pool 242.0.0.0/16");
  });

  test("a small supernet has smaller blocks, for 63 members", () => {
    const ipam = ipamOf({ supernets: ["10.9.0.0/16"] });
    expect(prefixOf(nodes(ipam, 1))).toBe("10.9.0.4/30");
    const rest = Array.from({ length: 62 }, (_, i) => nodes(ipam, i + 2));
    expect(prefixOf(rest.at(-1))).toBe("10.9.0.252/30");
    expect(refusalOf(nodes(ipam, 64))).toContain("pool-exhausted");
  });

  test("in a large supernet first fit goes on past 255", () => {
    const ipam = ipamOf({ supernets: ["fd12:3456:789a::/48"] });
    const all = Array.from({ length: 300 }, (_, i) => prefixOf(nodes(ipam, i + 1, { family: 6 })));
    expect(new Set(all).size).toBe(300);
    expect(all.at(-1)).toBe("fd12:3456:789a::1:2c00/120");
  });

  test("300 joins take no time worth mentioning", () => {
    const ipam = ipamOf({ supernets: ["fd12:3456:789a::/48"] });
    const start = performance.now();
    for (let n = 1; n <= 300; n++) join(ipam, n, "fd00:10:244::/64");
    expect(ipam.list()).toHaveLength(600);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("pods by hand elsewhere do not take the number of a member's nodes away", () => {
    const ipam = ipamOf();
    nodes(ipam, 1);
    pods(ipam, 1, "10.244.0.0/16", "242.50.0.0/16");
    expect(prefixOf(nodes(ipam, 1))).toBe("242.0.1.0/24");
    expect(prefixOf(pods(ipam, 2))).toBe("242.2.0.0/16");
  });

  test("a family without a supernet is refused", () => {
    expect(refusalOf(nodes(ipamOf(), 1, { family: 6 }))).toBe("unknown: there is no IPv6 supernet for the nodes");
  });
});
