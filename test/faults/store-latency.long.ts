import { expect, test } from "vitest";
import { latencyAfter } from "./store-latency.ts";

test("[Roblox 2021] a store that has deleted a million records writes as fast as before", () => {
  const { before, after } = latencyAfter(1_000_000);
  expect(after.p50Ms).toBeLessThan(2 * before.p50Ms);
  expect(after.p90Ms).toBeLessThan(2 * before.p90Ms);
});
