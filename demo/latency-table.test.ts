import { expect, test } from "vitest";
import { latencyTable } from "./latency-table.ts";

test("latencyTable() writes milliseconds in columns", () => {
  const line = {
    ...{ peer: "amber", samples: 400, lossRatio: 0.005, minSeconds: 0.0004, p50Seconds: 0.000512 },
    ...{ p90Seconds: 0.0006, p99Seconds: 0.0009, maxSeconds: 0.0123, jitterSeconds: 0.00004 },
  };
  expect(latencyTable("birch", [line]).split("\n")).toEqual([
    "peer           samples      p50      p90      p99       max   jitter   loss",
    "birch → amber      400  0.51 ms  0.60 ms  0.90 ms  12.30 ms  0.04 ms  0.5 %",
  ]);
});
