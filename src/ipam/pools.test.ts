import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cidr, cidrOf, cidrParts, covers, overlaps } from "#values";
import { nodeLength, poolsOf, supernetFault } from "./pools.ts";
import { net } from "./testbed.ts";

const anySupernet = fc.oneof(
  fc
    .integer({ min: 4, max: 16 })
    .chain((length) =>
      fc.integer({ min: 0, max: 2 ** length - 1 }).map((n) => cidrOf(4, BigInt(n) << BigInt(32 - length), length)),
    ),
  fc.integer({ min: 8, max: 112 }).map((length) => cidrOf(6, 0xfdn << 120n, length)),
);

describe("poolsOf()", () => {
  test("the default supernet reads as people are told", () => {
    const pools = poolsOf(net("242.0.0.0/8"));
    expect(pools.nodes).toBe("242.0.0.0/16");
    expect(pools.services).toBe("242.192.0.0/10");
    expect(pools.pods).toEqual([
      "242.1.0.0/16",
      "242.2.0.0/15",
      "242.4.0.0/14",
      "242.8.0.0/13",
      "242.16.0.0/12",
      "242.32.0.0/11",
      "242.64.0.0/10",
      "242.128.0.0/10",
    ]);
  });

  test("an IPv6 supernet is divided the same way", () => {
    const pools = poolsOf(net("fd12:3456:789a::/48"));
    expect(pools.nodes).toBe("fd12:3456:789a::/56");
    expect(pools.services).toBe("fd12:3456:789a:c000::/50");
    expect(pools.pods[0]).toBe("fd12:3456:789a:100::/56");
  });

  test("pools are disjoint and make up the whole supernet", () => {
    fc.assert(
      fc.property(anySupernet, (supernet) => {
        const { nodes, services, pods } = poolsOf(supernet);
        const all: readonly Cidr[] = [nodes, ...pods, services];
        expect(all.reduce((sum, pool) => sum + cidrParts(pool).size, 0n)).toBe(cidrParts(supernet).size);
        expect(all.every((pool) => covers(supernet, pool))).toBe(true);
        for (const [i, pool] of all.entries()) {
          expect(all.slice(i + 1).some((other) => overlaps(pool, other))).toBe(false);
        }
      }),
    );
  });
});

describe("nodeLength()", () => {
  test.each([
    ["242.0.0.0/8", 24],
    ["240.0.0.0/5", 24],
    ["100.64.0.0/10", 24],
    ["172.16.0.0/12", 26],
    ["10.9.0.0/16", 30],
    ["fd12:3456:789a::/48", 120],
    ["fd00::/112", 126],
  ])("%s has blocks of /%i", (supernet, length) => {
    expect(nodeLength(net(supernet))).toBe(length);
  });

  test("the nodes pool always has 64 blocks or more", () => {
    fc.assert(
      fc.property(anySupernet, (supernet) => {
        const pool = cidrParts(poolsOf(supernet).nodes);
        expect(nodeLength(supernet) - pool.length).toBeGreaterThanOrEqual(6);
      }),
    );
  });
});

describe("supernetFault()", () => {
  test.each(["242.0.0.0/8", "100.64.0.0/10", "10.0.0.0/8", "10.200.0.0/16", "fd12:3456:789a::/48", "fd00::/112"])(
    "%s can be a supernet",
    (supernet) => {
      expect(supernetFault(net(supernet))).toBeUndefined();
    },
  );

  test.each([
    ["10.0.0.0/17", "at most /16"],
    ["fd00::/113", "at most /112"],
    ["0.0.0.0/0", "0.0.0.0/8"],
    ["127.0.0.0/8", "127.0.0.0/8"],
    ["169.254.0.0/16", "169.254.0.0/16"],
    ["224.0.0.0/8", "224.0.0.0/4"],
    ["240.0.0.0/4", "255.255.255.255/32"],
    ["::/0", "::/64"],
    ["fe80::/16", "fe80::/10"],
    ["ff05::/16", "ff00::/8"],
  ])("%s cannot, because of %s", (supernet, why) => {
    expect(supernetFault(net(supernet))).toContain(why);
  });
});
