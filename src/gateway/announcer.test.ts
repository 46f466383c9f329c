import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestClock, turns, until } from "#lab";
import { silentLog } from "#life";
import { err, ok, type Revision, type TunnelKey } from "#values";
import { type Envelope, isSealedBy, type Member } from "#wire";
import { Announcer } from "./announcer.ts";
import { type Cache, openCache } from "./cache.ts";
import { type Place, placeOf } from "./compile-network.ts";
import { candidatesOf, catalogueOf, cidr, dataDir, GW, ip, optionsOf, TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const joined = catalogueOf(...amber.joined());
const tunnelKey = Buffer.alloc(32, 7).toString("base64") as TunnelKey;

let clock: TestClock;
let cache: Cache;
let dir: string;
let said: Envelope[];
let refuses: boolean;
let place: Place | undefined;
let member: Member | undefined;
let end: () => Promise<void>;

/** begin is one run of a daemon; `live` says whether its session lives. */
function begin(live = true, options = optionsOf()) {
  const client = {
    state: live ? ("live" as const) : ("dialing" as const),
    publish: async ({ put }: { put: readonly Envelope[] }) => {
      if (refuses) return err({ code: "stale", message: "no" });
      said.push(...put);
      return ok(1 as Revision);
    },
  };
  const announcer = new Announcer({
    ...{ options, privateKey: amber.privateKey, tunnelKey, cache, client, clock, log: silentLog },
    ...{ member: () => member, place: () => place, seen: () => ip("198.51.100.1") },
    ...{ local: () => ip("172.31.0.11"), draining: () => false, taken: [cidr("10.96.0.0/16")] },
  });
  const stop = new AbortController();
  const running = announcer.run(stop.signal);
  end = async () => {
    stop.abort();
    await running;
  };
  return { announcer, client };
}

const orders = () => said.map(({ order }) => `${order.epoch}.${order.seq}`);

beforeEach(() => {
  dir = dataDir();
  const opened = openCache(dir);
  if (!opened.ok) throw new Error(opened.error);
  cache = opened.value;
  clock = new TestClock();
  [said, refuses] = [[], false];
  place = placeOf(joined, amber.cluster, GW);
  member = joined.members.get(amber.cluster);
});
afterEach(async () => {
  await end();
  cache.close();
  rmSync(dir, { recursive: true });
});

describe("Announcer", () => {
  test("says where each index of the peers sends, and signs it", async () => {
    begin().announcer.welcomed(0);
    await until(() => said.length === 1);
    const [record] = said as [Envelope];
    expect(record.key).toBe("gateway/amber/gw");
    expect(isSealedBy(joined.members.get(amber.cluster)?.key as never, record)).toBe(true);
    expect(JSON.parse(record.body)).toMatchObject({ index: 0, address: "242.0.1.1", tunnelKey, generation: 1 });
    expect(JSON.parse(record.body)).not.toHaveProperty("direct");
    expect(JSON.parse(record.body).endpoints.slice(0, 2)).toEqual(["198.51.100.1:51820", "198.51.100.1:51821"]);
    expect(joined.apply(candidatesOf(record)).refusals).toEqual([]);
  });

  test("offers its pods by their own addresses where it was told to, and says what else is used there", async () => {
    begin(true, optionsOf({ globalnet: false })).announcer.welcomed(0);
    await until(() => said.length === 1);
    expect(JSON.parse(said[0]?.body ?? "").direct).toEqual({ taken: ["10.96.0.0/16"] });
    const fresh = catalogueOf(...amber.joined());
    expect(fresh.apply(candidatesOf(...said)).refusals).toEqual([]);
    expect(fresh.members.get(amber.cluster)?.gateways.get(GW)?.body.direct).toEqual({ taken: ["10.96.0.0/16"] });
  });

  test("takes --endpoint, with its port for index 0, before what the broker saw", async () => {
    begin(true, optionsOf({ endpoint: { host: ip("203.0.113.5"), port: 4000 } })).announcer.welcomed(0);
    await until(() => said.length === 1);
    expect(JSON.parse(said[0]?.body ?? "").endpoints[2]).toBe("203.0.113.5:4002");
  });

  test("says nothing before it was welcomed, or before it has a place", async () => {
    place = undefined;
    const { announcer } = begin();
    announcer.changed();
    await turns();
    announcer.welcomed(0);
    await turns();
    expect(said).toEqual([]);
    place = placeOf(joined, amber.cluster, GW);
    announcer.changed();
    await until(() => said.length === 1);
  });

  test("says the same once, and again after each welcome: the broker may have forgotten", async () => {
    const { announcer } = begin();
    announcer.welcomed(0);
    await until(() => said.length === 1);
    announcer.changed();
    await clock.pass(120_000);
    expect(orders()).toEqual(["1.1"]);
    announcer.welcomed(1);
    await until(() => said.length === 2);
    expect(orders()).toEqual(["1.1", "1.2"]);
  });

  test("an incarnation is one run of the daemon, above every earlier one", async () => {
    begin().announcer.welcomed(0);
    await until(() => said.length === 1);
    await end();
    begin().announcer.welcomed(1);
    await until(() => said.length === 2);
    expect(orders()).toEqual(["1.1", "2.1"]);
  });

  test("goes above what the broker knows where its own disk was lost", async () => {
    begin().announcer.welcomed(41);
    await until(() => said.length === 1);
    expect(orders()).toEqual(["42.1"]);
    expect(cache.value("incarnation")).toBe("42");
  });

  test("tries again after a second when the broker does not take it", async () => {
    refuses = true;
    begin().announcer.welcomed(0);
    await clock.pass(900);
    refuses = false;
    await clock.pass(200);
    expect(said).toHaveLength(1);
  });

  test("leaves no timers behind, however often it is woken", async () => {
    const { announcer } = begin();
    for (let at = 0; at < 50; at += 1) {
      announcer.changed();
      await turns(2);
    }
    expect(clock.sleeping).toBeLessThanOrEqual(1);
  });
});
