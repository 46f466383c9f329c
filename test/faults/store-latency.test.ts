import { expect, test } from "vitest";
import { latencyAfter } from "./store-latency.ts";

test("[Roblox 2021] a store that has deleted 20,000 records writes as fast as before", () => {
  const { before, after } = latencyAfter(20_000);
  expect(after.p50Ms).toBeLessThan(2 * before.p50Ms);
});
