import { describe, expect, test } from "vitest";
import { RESERVOIR, Samples } from "./bench-result.ts";
import { randomFrom } from "./random-from.ts";

describe("Samples", () => {
  test("result() is exact while all samples are kept", () => {
    const samples = new Samples(randomFrom(0.1));
    for (let i = 1; i <= 1000; i += 1) samples.add(i % 2 === 0 ? i : 1001 - i); // neither rising nor falling
    expect(samples.result("b/g", 1250)).toMatchObject({
      id: "b/g",
      samples: 1000,
      lossRatio: 0.2,
      minSeconds: 0.002,
      p50Seconds: expect.closeTo(0.5, 2),
      p99Seconds: expect.closeTo(0.99, 2),
      maxSeconds: 1,
      bitsPerSecond: null,
    });
  });

  test("jitterSeconds is the mean difference of neighbours", () => {
    const samples = new Samples(randomFrom(0.1));
    for (const ms of [1, 3, 2]) samples.add(ms);
    expect(samples.result("b/g", 3).jitterSeconds).toBeCloseTo(0.0015);
  });

  test("result() has nulls where nothing came back", () => {
    const result = new Samples(randomFrom(0.1)).result("b/g", 5);
    expect(result).toMatchObject({ samples: 0, lossRatio: 1, minSeconds: null, p50Seconds: null, maxSeconds: null });
    expect(new Samples(randomFrom(0.1)).result("b/g", 0).lossRatio).toBe(0);
  });

  test("beyond the reservoir it keeps a uniform sample, and least, greatest and count of all", () => {
    const samples = new Samples(randomFrom(0.3), 1000);
    for (let i = 1; i <= 100_000; i += 1) samples.add(i);
    const { p50Seconds, p90Seconds, ...rest } = samples.result("b/g", 100_000);
    expect(Math.abs((p50Seconds ?? 0) - 50)).toBeLessThan(5);
    expect(Math.abs((p90Seconds ?? 0) - 90)).toBeLessThan(4);
    expect(rest).toMatchObject({ samples: 100_000, minSeconds: 0.001, maxSeconds: 100 });
    expect(RESERVOIR).toBe(100_000);
  });
});
