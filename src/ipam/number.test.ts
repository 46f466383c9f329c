import { describe, expect, test } from "vitest";
import { granted } from "./allocation.ts";
import { Ledger } from "./ledger.ts";
import { memberNumber } from "./number.ts";
import type { Space } from "./space.ts";
import { cluster, net, T0, uid } from "./testbed.ts";

/** numberAfter is member 1's number once the prefixes of (member, kind) are taken. */
function numberAfter(...held: readonly (readonly [n: number, kind: "pods" | "nodes", prefix: string])[]) {
  const ledger = new Ledger([net("242.0.0.0/8"), net("fd12:3456:789a::/48")]);
  for (const [n, kind, prefix] of held) {
    ledger.put(granted({ prefix: net(prefix), kind, cluster: cluster(n), uid: uid(n) }, T0));
  }
  return memberNumber(ledger, ledger.spaces.get(4) as Space, uid(1));
}

describe("memberNumber()", () => {
  test("a new member gets the lowest number free in both pools", () => {
    expect(numberAfter()).toBe(1);
    expect(numberAfter([2, "pods", "242.1.0.0/16"], [3, "nodes", "242.0.2.0/24"])).toBe(3);
    expect(numberAfter([2, "pods", "242.1.9.0/24"])).toBe(2);
  });

  test("a member keeps the number of its nodes, before that of its pods", () => {
    expect(numberAfter([1, "nodes", "242.0.7.0/24"])).toBe(7);
    expect(numberAfter([1, "pods", "242.9.0.0/16"])).toBe(9);
    expect(numberAfter([1, "pods", "242.9.0.0/16"], [1, "nodes", "242.0.7.0/24"])).toBe(7);
  });

  test("the number that it shows in the other family is kept too", () => {
    expect(numberAfter([1, "nodes", "fd12:3456:789a::500/120"])).toBe(5);
    expect(numberAfter([1, "pods", "fd12:3456:789a:600::/56"])).toBe(6);
    expect(numberAfter([1, "pods", "fd12:3456:789a:600::/56"], [1, "pods", "242.9.0.0/16"])).toBe(9);
  });

  test("a block without a meaning shows no number", () => {
    expect(numberAfter([1, "nodes", "242.0.200.0/24"])).toBe(1);
  });

  test("there is none when every slot or every block is taken", () => {
    const slots = Array.from({ length: 191 }, (_, i) => [i + 2, "pods", `242.${i + 1}.0.0/16`] as const);
    expect(numberAfter(...slots)).toBeUndefined();
    expect(numberAfter([2, "nodes", "242.0.0.0/16"])).toBeUndefined();
  });
});
