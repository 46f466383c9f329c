import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cidr, ClusterId, Millis, Uid } from "#values";
import { type Allocation, granted } from "./allocation.ts";
import { Ipam } from "./ipam.ts";
import { type Granted, reconcile } from "./reconcile.ts";

const NOW = 1000 as Millis;
const pods = (n: number, owner: string): Granted => ({
  prefix: `242.${n}.0.0/16` as Cidr,
  kind: "pods",
  cluster: owner as ClusterId,
  uid: owner as Uid,
  local: "10.244.0.0/16" as Cidr,
});
const states = (allocations: readonly Allocation[]): readonly string[] =>
  allocations.map(({ prefix, cluster, state }) => `${prefix} ${cluster} ${state}`).sort();

describe("reconcile()", () => {
  test("takes in what was granted meanwhile, and rests what was given back", () => {
    const have = [granted(pods(1, "amber"), NOW), granted(pods(2, "birch"), NOW)];
    const { put, forget } = reconcile(have, [pods(2, "birch"), pods(3, "cedar")], NOW);
    expect(states(put)).toEqual(["242.1.0.0/16 amber quarantine", "242.3.0.0/16 cedar live"]);
    expect(forget).toEqual([]);
  });

  test("a prefix that went to another is the other's", () => {
    const rested = { ...granted(pods(1, "amber"), NOW), state: "quarantine" as const };
    const { put } = reconcile([rested], [pods(1, "birch")], NOW);
    expect(states(put)).toEqual(["242.1.0.0/16 birch live"]);
  });

  test("what lies across a granted prefix goes", () => {
    const wide = granted({ ...pods(0, "amber"), prefix: "242.0.0.0/14" as Cidr }, NOW);
    expect(reconcile([wide], [pods(1, "birch")], NOW).forget).toEqual(["242.0.0.0/14"]);
  });

  test("the result is a table that can be loaded, in which all that is granted is live", () => {
    const some = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom("amber", "birch", "cedar")), {
      selector: ([n]) => n,
    });
    fc.assert(
      fc.property(some, some, (before, after) => {
        const have = before.map(([n, owner]) => granted(pods(n, owner), NOW));
        const want = after.map(([n, owner]) => pods(n, owner));
        const { put, forget } = reconcile(have, want, NOW);
        const table = new Map(have.map((a) => [a.prefix, a]));
        for (const prefix of forget) table.delete(prefix);
        for (const a of put) table.set(a.prefix, a);
        const ipam = new Ipam({ supernets: ["242.0.0.0/8" as Cidr], quarantineMs: NOW });
        ipam.load([...table.values()]);
        const live = ipam.list().filter(({ state }) => state === "live");
        expect(live.map(({ prefix, uid }) => `${prefix} ${uid}`).sort()).toEqual(
          want.map(({ prefix, uid }) => `${prefix} ${uid}`).sort(),
        );
      }),
    );
  });
});
