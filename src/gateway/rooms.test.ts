import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ZoneChange } from "#dns";
import { turns } from "#lab";
import { createTicker } from "./rooms.ts";
import { TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";

let made: Composed;
let zone: ZoneChange[];
let reports: number;
let settled: boolean;
let end: () => Promise<void>;

beforeEach(() => {
  made = composed();
  [zone, reports, settled] = [[], 0, false];
  Object.assign(made.gateway.responder, { update: (changes: readonly ZoneChange[]) => zone.push(...changes) });
  Object.assign(made.gateway.client, {
    report: () => {
      reports += 1;
    },
  });
  Object.defineProperty(made.gateway.reconciler, "settled", { get: () => settled });
  const stop = new AbortController();
  const running = createTicker(made.gateway).run(stop.signal);
  end = async () => {
    stop.abort();
    await running;
  };
});
afterEach(async () => {
  await end();
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

describe("createTicker()", () => {
  test("tells nobody that a name does not exist before all that is known is in force", async () => {
    await made.clock.pass(1000);
    settled = true;
    await made.clock.pass(1000);
    expect(zone).toEqual([]); // nothing was ever received
    settled = false;
    await made.hears(...made.amber.joined());
    await made.clock.pass(1000);
    expect(zone).toEqual([]); // the first 500 of many names are there
    settled = true;
    await made.clock.pass(60);
    expect(zone).toEqual([{ kind: "synced", synced: true }]);
    await made.clock.pass(5000);
    expect(zone).toHaveLength(1);
    expect(made.gateway.session.zoneSynced).toBe(true);
  });

  test("does not wait for ever where changes come without a pause", async () => {
    await made.hears(...made.amber.joined());
    Object.defineProperty(made.gateway.reconciler, "passes", { value: 9 });
    await made.clock.pass(9900);
    expect(zone).toEqual([]);
    await made.clock.pass(300);
    expect(zone).toEqual([{ kind: "synced", synced: true }]);
  });

  test("reports every few seconds while the session lives, and notes how old its state is", async () => {
    made.gateway.session.zoneSynced = true;
    await made.clock.pass(20_000);
    expect([reports, made.gateway.cache.value("heard")]).toEqual([0, null]);
    made.gateway.session.state = "live";
    await made.clock.pass(20_000);
    expect(reports).toBe(4);
    expect(made.clock.now() - Number(made.gateway.cache.value("heard"))).toBeLessThan(5000);
  });

  test("asks again for members that did not add up", async () => {
    const asked: string[][] = [];
    Object.assign(made.gateway.client, { askSnapshot: (clusters: string[]) => asked.push(clusters) });
    const birch = new TestMember("birch", 2);
    await made.hears(...birch.joined());
    birch.says({ gone: { namespace: "shop" } as never });
    await made.hears(...birch.says({}));
    Object.assign(made.gateway.session, { zoneSynced: true, state: "live" });
    await made.clock.pass(12_000);
    await turns();
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });
});
