import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Cidr, Ip } from "#values";
import { type GlobalnetPlan, planFault } from "./globalnet-plan.ts";
import { baseShape, render } from "./render.ts";
import { renderServiceTable } from "./service-table.ts";
import { goldenRulesets } from "./testbed-golden.ts";
import { examplePlan } from "./testbed-plan.ts";

const rule = (text: string, part: string): string =>
  text
    .split("\n")
    .find((line) => line.includes(part))
    ?.trim() ?? "";

describe("golden rulesets", () => {
  test.each(Object.entries(goldenRulesets))("%s is rendered as it was checked", async (file, text) => {
    expect(text).toBe(await readFile(new URL(`./golden/${file}`, import.meta.url), "utf8"));
  });
});

describe("render()", () => {
  test("gives equal plans equal text, whatever the order of what sets hold", () => {
    const links = ["cni0", "docker0"];
    expect(render(examplePlan(1, { localLinks: links }))).toBe(
      render(examplePlan(1, { localLinks: links.toReversed() })),
    );
  });

  test("replaces the table in one transaction: create, delete, create", () => {
    expect(render(examplePlan(1)).split("\n").slice(0, 3)).toEqual([
      "table ip meridian",
      "delete table ip meridian",
      "table ip meridian {",
    ]);
  });

  test("swaps by the length of the prefix: a host has no bits to keep", () => {
    const host = { local: "10.9.8.7/32" as Cidr, global: "242.1.0.7/32" as Cidr };
    const small = { local: "10.7.0.16/28" as Cidr, global: "242.1.1.32/28" as Cidr };
    const text = render(examplePlan(1, { pods: [host, small] }));
    expect(rule(text, "ip daddr 242.1.0.7/32")).toMatch(/ip daddr set 10\.9\.8\.7$/);
    expect(rule(text, "ip daddr 242.1.1.32/28")).toMatch(/ip daddr set ip daddr & 0\.0\.0\.15 \| 10\.7\.0\.16$/);
  });

  test("without pods there is no identity translation, and nothing is swapped", () => {
    const text = render(examplePlan(1, { pods: [] }));
    expect(text).not.toContain("snat ip prefix");
    expect(text).not.toContain("daddr set");
  });

  test("leaves out link names and MAC addresses that would need quoting", () => {
    const text = render(examplePlan(1, { localLinks: ['a"; drop', "cni0"], siblings: ["x", "02:00:00:00:00:01"] }));
    expect(text).toContain('elements = { "cni0" }');
    expect(text).toContain("elements = { 02:00:00:00:00:01 }");
  });

  test("throws for what planFault() says", () => {
    const uneven = [{ local: "10.244.0.0/16" as Cidr, global: "242.1.0.0/17" as Cidr }];
    expect(() => render(examplePlan(1, { pods: uneven }))).toThrow("differ in length");
    expect(planFault(examplePlan(1, { supernet: "fd00::/8" as Cidr }))).toContain("only IPv4");
    expect(planFault(examplePlan(1, { tunnels: ["eth0"] }))).toContain("mrd0 to mrd7");
    expect(planFault(examplePlan(1))).toBeUndefined();
  });
});

describe("baseShape()", () => {
  test("does not depend on what sets hold, nor on which tunnels are up", () => {
    const change: Partial<GlobalnetPlan> = { localLinks: [], hairpin: ["10.244.0.1" as Ip], tunnels: [] };
    expect(baseShape(examplePlan(1, change))).toEqual(baseShape(examplePlan(1)));
  });

  test("depends on every prefix and address", () => {
    const shapes = [
      examplePlan(1),
      examplePlan(2),
      examplePlan(1, { servicePrefix: "242.128.0.0/9" as Cidr }),
      examplePlan(1, { node: { local: "172.31.1.1" as Ip, global: "242.0.1.2" as Ip } }),
    ].map((plan) => baseShape(plan).digest);
    expect(new Set(shapes).size).toBe(4);
  });
});

test("renderServiceTable() has one chain per class, and none of nft's keywords as a name", () => {
  const text = renderServiceTable("242.192.0.0/10" as Cidr);
  expect(text.match(/chain [rh]\d+ /g)).toHaveLength(20);
  expect(text).toContain("jhash ip saddr mod 1024 seed 0x6d726430 map @b1024");
  expect(text).not.toContain("typeof ip daddr . meta l4proto . th dport . jhash");
});
