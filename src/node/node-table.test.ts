import { describe, expect, test } from "vitest";
import { WITHDRAW_MS } from "#globalnet";
import type { TableService } from "#kube";
import { expect as must, parseCidr } from "#values";
import { NodeTable } from "./node-table.ts";
import { AMBER, service, slice } from "./testbed-services.ts";

const WEB = service("242.192.0.7", [slice("birch", ["242.2.0.1"])]);
const API = service("242.192.0.8", [slice("amber", ["10.244.2.5@node-2"])]);

/** A table, the services that there are, and a clock that a test moves. */
class World {
  readonly clock = { time: 0, monotonic: () => this.clock.time };
  readonly services = new Map<string, TableService>();
  readonly table = new NodeTable(AMBER.node, this.clock, (key) => this.services.get(key));

  says(key: string, said: TableService | null): void {
    if (said === null) this.services.delete(key);
    else this.services.set(key, said);
    this.table.changed(key);
  }

  want(change: Partial<typeof AMBER> = {}) {
    const { services, changed, hairpin } = this.table.want({ ...AMBER, ...change });
    const keys = services === null ? null : [...services.keys()];
    return { keys, changed: changed === undefined ? undefined : [...changed], hairpin };
  }
}

describe("NodeTable", () => {
  test("says nothing before all was heard once: what is in the kernel stays", () => {
    const world = new World();
    world.says("shop/web", WEB);
    expect(world.want()).toEqual({ keys: null, changed: undefined, hairpin: [] });
    expect(world.table.size).toBeNull();
    world.table.synced();
    expect(world.want()).toEqual({ keys: ["242.192.0.7 TCP 80"], changed: undefined, hairpin: [] });
    expect(world.table.size).toBe(1);
  });

  test("from then on it says what has changed, and which pods may be their own clients", () => {
    const world = new World();
    world.table.synced();
    world.want();
    world.says("shop/web", WEB);
    world.says("shop/api", API);
    const both = ["242.192.0.7 TCP 80", "242.192.0.8 TCP 80"];
    expect(world.want()).toEqual({ keys: both, changed: both, hairpin: ["10.244.2.5"] });
    world.says("shop/api", { ...API, slices: [] });
    expect(world.want()).toEqual({ keys: both, changed: ["242.192.0.8 TCP 80"], hairpin: [] });
    expect(world.want().changed).toEqual([]);
  });

  test.each<[string, TableService | null]>([
    ["an import that is gone", null],
    ["an import that has a derived Service's address now", service("10.96.0.9", [])],
  ])("%s: its entry stays as long as clients remember the address", (_, after) => {
    const world = new World();
    world.table.synced();
    world.says("shop/web", WEB);
    world.want();
    world.says("shop/web", after);
    expect(world.want().keys).toEqual(["242.192.0.7 TCP 80"]);
    expect(world.table.nextAt()).toBe(WITHDRAW_MS);
    world.clock.time = WITHDRAW_MS;
    expect(world.want()).toEqual({ keys: [], changed: ["242.192.0.7 TCP 80"], hairpin: [] });
  });

  test("with another service prefix all are looked at again", () => {
    const world = new World();
    world.table.synced();
    world.says("shop/web", WEB);
    const elsewhere = { servicePrefix: must(parseCidr("242.128.0.0/12")) };
    expect(world.want(elsewhere).keys).toEqual([]);
    expect(world.want().keys).toEqual(["242.192.0.7 TCP 80"]);
  });
});
