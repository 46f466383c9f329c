import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";
import { watchLoopDelay } from "./loop-delay.ts";

test("now() is the wall clock, monotonic() never goes back", () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  const times = Array.from({ length: 100 }, () => systemClock.monotonic());
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("sleep() ends after its span", async () => {
  const begin = systemClock.monotonic();
  await systemClock.sleep(20);
  expect(systemClock.monotonic() - begin).toBeGreaterThanOrEqual(19);
});

test("sleep() ends at once when its signal aborts, also before it has begun", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(1_000_000, stop.signal);
  stop.abort();
  await expect(sleeping).rejects.toMatchObject({ name: "AbortError" });
  await expect(systemClock.sleep(1_000_000, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
});

test("watchLoopDelay() sees how late the event loop was, its own resolution taken out", async () => {
  const loop = watchLoopDelay();
  expect(loop.maxSeconds()).toBeGreaterThanOrEqual(0);
  for (let tries = 0; loop.maxSeconds() < 0.04 && tries < 50; tries += 1) {
    await systemClock.sleep(12); // the next sample is on its way
    const end = performance.now() + 60;
    while (performance.now() < end);
    await systemClock.sleep(0);
  }
  expect(loop.maxSeconds()).toBeGreaterThanOrEqual(0.04);
  expect(loop.p99Seconds()).toBeLessThanOrEqual(loop.maxSeconds());
});
