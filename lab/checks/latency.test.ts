import { expect, test } from "vitest";
import { judgeLatency, type Latency } from "./latency.ts";

const LINE: Latency = {
  peer: "amber",
  samples: 400,
  lossRatio: 0,
  minSeconds: 0.0004,
  p50Seconds: 0.0005,
  p90Seconds: 0.0006,
  p99Seconds: 0.0009,
  maxSeconds: 0.002,
  jitterSeconds: 0.0001,
};

test("judgeLatency() accepts every peer once, in any order", () => {
  expect(() => judgeLatency([LINE, { ...LINE, peer: "cedar" }], ["cedar", "amber"])).not.toThrow();
});

test.each([
  ["a peer that was not measured", [LINE], ["amber", "cedar"], "measured amber, not amber,cedar"],
  ["a peer that is measured twice", [LINE, LINE], ["amber"], "measured amber,amber"],
  ["no samples", [{ ...LINE, samples: 0 }], ["amber"], "has 0 samples"],
  ["a round trip of no time", [{ ...LINE, minSeconds: 0 }], ["amber"], "the least 0 s"],
  ["percentiles that fall", [{ ...LINE, p90Seconds: 0.0001 }], ["amber"], "do not rise"],
  ["loss", [{ ...LINE, lossRatio: 0.02 }], ["amber"], "loses 0.02"],
])("judgeLatency() fails on %s", (_, table, peers, message) => {
  expect(() => judgeLatency(table, peers)).toThrow(message);
});
