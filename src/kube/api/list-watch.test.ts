import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestClock } from "#lab";
import { silentLog } from "#life";
import { apiFault, FakeApi } from "./fake-api.ts";
import type { ApiFault } from "./fault.ts";
import { ListWatch } from "./list-watch.ts";
import { RESOURCES } from "./resource.ts";

let clock: TestClock;
let api: FakeApi;
let seen: Map<string, number>;
let news: string[];
let faults: (ApiFault | null)[];
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  [clock, api, seen, news, faults, stop] = [new TestClock(), new FakeApi(), new Map(), [], [], new AbortController()];
  const follower = {
    put: (key: string) => {
      seen.set(key, (seen.get(key) ?? 0) + 1);
      news.push(`+${key}`);
    },
    remove: (key: string) => {
      seen.delete(key);
      news.push(`-${key}`);
    },
    listed: () => void news.push("listed"),
    fault: (fault: ApiFault | null) => void faults.push(fault),
  };
  const options = { api, clock, log: silentLog, random: () => 0.5, resource: RESOURCES.services, page: 2, follower };
  const watch = new ListWatch(options);
  for (const name of ["a", "b", "c"]) api.put(name);
  running = watch.run(stop.signal);
});

afterEach(async () => {
  stop.abort();
  await running;
  expect(clock.sleeping).toBe(0);
});

describe("ListWatch", () => {
  test("lists page by page, then hears of what changes", async () => {
    await clock.pass(1);
    expect(news.splice(0)).toEqual(["+shop/a", "+shop/b", "+shop/c", "listed"]);
    api.put("d");
    api.put("a");
    api.remove("b");
    expect(news).toEqual(["+shop/d", "+shop/a", "-shop/b"]);
    expect(api.requests).toEqual(["list", "list", "watch 4"]);
  });

  test("a watch that ends goes on from its last version, without a list", async () => {
    await clock.pass(1);
    api.put("d");
    api.end();
    await clock.pass(200);
    expect(api.requests.slice(2)).toEqual(["watch 4", "watch 5"]);
  });

  test("410 Expired: all is listed anew, and only what is gone is removed (F29)", async () => {
    await clock.pass(1);
    news.length = 0;
    api.remove("b", { silent: true });
    api.put("e", { silent: true });
    api.expire();
    await clock.pass(300);
    expect(news).toEqual(["+shop/e", "-shop/b", "listed"]);
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });

  test.each([
    [500, "InternalError"],
    [429, "TooManyRequests"],
    [403, "Forbidden"],
    [404, "NotFound"],
    [0, "Unreachable"],
  ])(
    "%i %s while listing: nothing that was heard is taken back, few requests, told, then well again (F29, F30)",
    async (code, reason) => {
      await clock.pass(1);
      news.length = 0;
      api.requests.length = 0;
      api.faults.push(...Array.from({ length: 20 }, () => apiFault(code, reason)));
      api.expire();
      await clock.pass(20_000);
      expect(news).toEqual([]);
      expect(api.requests.length).toBeLessThanOrEqual(20);
      expect(faults.at(-1)).toMatchObject({ reason });
      api.put("f");
      await clock.pass(60_000);
      expect(seen.has("shop/f")).toBe(true);
      expect(faults.at(-1)).toBeNull();
    },
  );

  test("429 with Retry-After is left alone for so long", async () => {
    await clock.pass(1);
    api.requests.length = 0;
    api.faults.push(apiFault(429, "TooManyRequests", 7));
    api.expire();
    await clock.pass(6_900);
    expect(api.requests).toEqual(["list"]);
    await clock.pass(1000);
    expect(api.requests.length).toBeGreaterThan(1);
  });

  test.each([
    ["made", () => api.put("g", { silent: true })],
    ["changed", () => api.put("a", { silent: true })],
    ["deleted", () => api.remove("a", { silent: true })],
  ])("an event that was lost, of an object that was %s, is found within 60 s (F27)", async (_, lose) => {
    await clock.pass(1);
    news.length = 0;
    lose();
    await clock.pass(60_000);
    expect(news).toContain("listed");
    expect([...seen.keys()].toSorted()).toEqual([...api.objects.keys()].map((name) => `shop/${name}`).toSorted());
  });

  test("a comparison that finds nothing lists nothing", async () => {
    await clock.pass(300_000);
    expect(api.requests.filter((request) => request === "list").length).toBe(2);
    expect(api.requests.filter((request) => request === "compare").length).toBeGreaterThanOrEqual(10);
  });

  test("an API server restored from a backup is older than what was heard of it: it is listed anew", async () => {
    await clock.pass(1);
    news.length = 0;
    api.objects.delete("c");
    api.faults.push({ ...apiFault(504, "Timeout"), message: "Too large resource version: 9, current: 3" });
    api.end();
    await clock.pass(1000);
    expect(news).toEqual(["-shop/c", "listed"]);
  });
});
