import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cidrOf, overlaps } from "#values";
import { clashes, named, type Use, usesOf } from "./finding.ts";
import { cluster, net } from "./testbed.ts";

const anyUse = fc
  .record({ n: fc.nat(9), length: fc.integer({ min: 8, max: 16 }), bits: fc.nat(255) })
  .map(({ n, length, bits }): Use => {
    const base = (10n << 24n) | ((BigInt(bits) >> BigInt(16 - length)) << BigInt(32 - length));
    return { id: cluster(n), what: "pod CIDR", cidr: cidrOf(4, base, length) };
  });

const use = (n: number, cidr: string): Use => ({ id: cluster(n), what: "pod CIDR", cidr: net(cidr) });

describe("clashes()", () => {
  test("a group is the largest network and all inside it", () => {
    const uses = [use(1, "10.1.0.0/16"), use(2, "10.0.0.0/8"), use(3, "11.0.0.0/8"), use(4, "10.2.0.0/16")];
    expect(clashes(uses).map(named)).toEqual(["c2 10.0.0.0/8, c1 10.1.0.0/16, c4 10.2.0.0/16"]);
  });

  test("families never clash", () => {
    expect(clashes([use(1, "0.0.0.0/0"), use(2, "::/0")])).toEqual([]);
  });

  test("two networks overlap if and only if they are in one group with their largest", () => {
    fc.assert(
      fc.property(fc.array(anyUse, { maxLength: 20 }), (uses) => {
        const grouped = new Set(clashes(uses).flat());
        for (const one of uses) {
          expect(grouped.has(one)).toBe(uses.some((other) => other !== one && overlaps(one.cidr, other.cidr)));
        }
      }),
    );
  });
});

describe("usesOf()", () => {
  test("lists networks by cluster, all or of one sort", () => {
    const one = { id: cluster(1), pods: [net("10.0.0.0/16")], services: [net("10.96.0.0/12")], nodes: [], globals: [] };
    const plan = { supernets: [], clusters: [one] };
    expect(usesOf(plan).map((u) => u.what)).toEqual(["pod CIDR", "service CIDR"]);
    expect(usesOf(plan, "service CIDR")).toEqual([{ id: "c1", what: "service CIDR", cidr: "10.96.0.0/12" }]);
  });
});
