import { describe, expect, test } from "vitest";
import type { Cidr, Millis } from "#values";
import { granted } from "./allocation.ts";
import { poolUsage } from "./usage.ts";

const NOW = 1 as Millis;
const SUPERNET = "242.0.0.0/8" as Cidr;

describe("poolUsage()", () => {
  test("is the share of each pool's addresses that is taken", () => {
    const taken = [
      granted({ prefix: "242.0.1.0/24" as Cidr, kind: "nodes" }, NOW),
      granted({ prefix: "242.64.0.0/10" as Cidr, kind: "pods" }, NOW),
      granted({ prefix: "242.192.0.0/11" as Cidr, kind: "reserved" }, NOW),
    ];
    const usage = Object.fromEntries(poolUsage([SUPERNET], taken).map(({ pool, usedRatio }) => [pool, usedRatio]));
    expect(usage["nodes"]).toBeCloseTo(1 / 256);
    expect(usage["pods"]).toBeCloseTo(0.25 / (0.75 - 1 / 256));
    expect(usage["services"]).toBe(0.5);
  });

  test("names the family where there are two supernets", () => {
    const pools = poolUsage([SUPERNET, "fd00::/48" as Cidr], []).map(({ pool }) => pool);
    expect(pools).toEqual(["nodes-ipv4", "pods-ipv4", "services-ipv4", "nodes-ipv6", "pods-ipv6", "services-ipv6"]);
  });
});
