import { describe, expect, test } from "vitest";
import { Allowance, isStretched, MAX_PROBES_PER_SECOND, paceFor } from "./pace.ts";

describe("paceFor()", () => {
  test.each([
    [0, 50, 15],
    [1, 50, 15],
    [100, 50, 15],
    [200, 100, 30],
    [1000, 500, 150],
  ])("gives %i targets a probe every %f ms, after a miss every %f ms", (targets, intervalMs, retryMs) => {
    expect(paceFor(targets)).toEqual({ intervalMs, retryMs, downAfter: 8, upAfter: 20 });
  });

  test("never asks for more than 2,000 probes a second", () => {
    for (const targets of [1, 99, 100, 101, 5000]) {
      expect((targets * 1000) / paceFor(targets).intervalMs).toBeLessThanOrEqual(MAX_PROBES_PER_SECOND);
    }
  });

  test("isStretched() begins above 100 targets", () => {
    expect([100, 101].map(isStretched)).toEqual([false, true]);
  });
});

describe("Allowance", () => {
  test("take() lets at most the limit through, whatever is asked for", () => {
    const allowance = new Allowance(0);
    let taken = 0;
    for (let now = 0; now < 10_000; now += 0.1) if (allowance.take(now)) taken += 1;
    expect(taken).toBeLessThanOrEqual(10 * MAX_PROBES_PER_SECOND + MAX_PROBES_PER_SECOND / 10);
    expect(taken).toBeGreaterThan(10 * MAX_PROBES_PER_SECOND - 10);
  });

  test("readyAt() says when the next one may leave", () => {
    const allowance = new Allowance(0);
    while (allowance.take(0));
    const at = allowance.readyAt(0);
    expect(at).toBeCloseTo(0.5);
    expect(allowance.take(at)).toBe(true);
    expect(allowance.readyAt(1000)).toBeGreaterThanOrEqual(1000);
  });
});
