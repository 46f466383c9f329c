import { describe, expect, test } from "vitest";
import { supernetConflicts } from "./supernet-conflicts.ts";
import { net } from "./testbed.ts";

const SUPERNETS = [net("242.0.0.0/8"), net("fd12:3456:789a::/48")];

describe("supernetConflicts()", () => {
  test("a member apart from the supernets has none", () => {
    const theirs = [
      { cidr: net("10.244.0.0/16"), what: "pod CIDR" },
      { cidr: net("fd00:10:244::/56"), what: "pod CIDR" },
    ];
    expect(supernetConflicts(SUPERNETS, theirs)).toEqual([]);
  });

  test("both sides of each conflict are named, in the order given", () => {
    const theirs = [
      { cidr: net("242.7.0.0/16"), what: "route dev eth1" },
      { cidr: net("10.96.0.0/12"), what: "service CIDR" },
      { cidr: net("fd12:3456::/32"), what: "node CIDR" },
    ];
    expect(supernetConflicts(SUPERNETS, theirs)).toEqual([
      { supernet: "242.0.0.0/8", cidr: "242.7.0.0/16", what: "route dev eth1" },
      { supernet: "fd12:3456:789a::/48", cidr: "fd12:3456::/32", what: "node CIDR" },
    ]);
  });

  test("a network that covers the supernet conflicts too", () => {
    expect(supernetConflicts(SUPERNETS, [{ cidr: net("240.0.0.0/4"), what: "route" }])).toHaveLength(1);
  });

  test("families never conflict with each other", () => {
    expect(supernetConflicts([net("242.0.0.0/8")], [{ cidr: net("::/0"), what: "route" }])).toEqual([]);
  });
});
