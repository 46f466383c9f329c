import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NodeName } from "#values";
import { drainGateway } from "./drain.ts";
import { grant, ip } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";

const LOCAL = ip("172.31.0.12");
let made: Composed;
let said: string[];
/** Packets that the tunnels have carried by each look; the last goes on. */
let carried: number[];
let silenced: boolean;

beforeEach(async () => {
  made = composed({}, ["birch"]);
  [said, carried, silenced] = [[], [7], false];
  const { gateway, amber, clock } = made;
  const second = { kind: "gateway", ...amber.who, name: "b" as NodeName, index: 1 } as const;
  const body = { name: "b", index: 1, address: "242.0.1.2", local: LOCAL };
  await made.hears(...amber.joined(), grant(second), amber.gateway(body));
  gateway.session.machine = {
    ...{ nodeLocal: ip("172.31.0.11"), mtu: 1440, underlayMtu: 1500, underlayLinks: [], localLinks: [] },
    neighbours: new Map([[LOCAL, { link: "eth0", mac: "02:00:00:00:00:02" }]]),
  };
  const counters = async () => {
    const packets = carried.length > 1 ? carried.shift() : carried[0];
    return { ok: true, value: { "carried-in": { packets }, "carried-out": { packets: 0 } } };
  };
  Object.assign(gateway, { plane: { globalnet: { counters } }, clock: { ...clock, monotonic: () => now, sleep } });
  Object.assign(gateway.prober, { isUp: () => true, silence });
  Object.assign(gateway.reconciler, { applied: async () => {} });
  Object.assign(gateway.announcer, { said: async () => {} });
});
afterEach(() => {
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

function silence(): void {
  silenced = true;
}

/** Sleeping is how time passes here; what is ready now comes first. */
let now = 0;
async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
  now += ms;
}

function drain(timeoutMs: number, signal = new AbortController().signal) {
  return drainGateway(made.gateway, { timeoutMs }, { signal, progress: (line) => said.push(line) });
}

describe("drainGateway()", () => {
  test("waits until nothing was carried for as long as peers keep idle flows, then falls silent", async () => {
    carried = [1, 2, 3, 4, 4];
    const start = now;
    expect(await drain(60_000)).toMatchObject({
      ok: true,
      value: { message: expect.stringMatching(/^gw carries nothing any more/) },
    });
    expect(said).toEqual(["peers give this gateway no new flows from now on", "no flow is left here"]);
    expect([made.gateway.session.drain, silenced]).toEqual(["leaving", true]);
    expect(now - start).toBeGreaterThan(11_000);
  });

  test("flows that do not rest keep it no longer than they may", async () => {
    carried = [...Array(10_000).keys()];
    const start = now;
    expect((await drain(3000)).ok).toBe(true);
    expect(said[1]).toMatch(/^the time is over/);
    expect(now - start).toBeLessThan(20_000);
  });

  test("the only gateway of a member has nobody to hand flows to, and says so", async () => {
    Object.assign(made.gateway.prober, { isUp: () => false });
    expect(await drain(1000)).toMatchObject({
      ok: true,
      value: { message: expect.stringMatching(/no sibling that could take its flows over/) },
    });
    expect([made.gateway.session.drain, silenced]).toEqual(["no", false]);
  });

  test("is not begun twice", async () => {
    made.gateway.session.drain = "draining";
    expect(await drain(1000)).toMatchObject({ ok: false, error: "this gateway drains already" });
  });

  test("who stops waiting has it take flows again", async () => {
    const stop = new AbortController();
    carried = [...Array(10_000).keys()];
    const drained = drain(60_000, stop.signal);
    stop.abort();
    expect(await drained).toMatchObject({ ok: false, error: expect.stringMatching(/takes flows again/) });
    expect(made.gateway.session.drain).toBe("no");
  });
});
