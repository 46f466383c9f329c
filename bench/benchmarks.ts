import { accuracy } from "./accuracy.ts";
import { apiAnswer } from "./api-answer.ts";
import type { Benchmark } from "./benchmark.ts";
import { detection } from "./detection.ts";
import { DNS_PARTS, dns } from "./dns.ts";
import { exportAll } from "./export-all.ts";
import { exportAnswer } from "./export-answer.ts";
import { failoverGap } from "./failover-gap.ts";
import { flatTranslation } from "./flat-translation.ts";
import { probeCost } from "./probe-cost.ts";
import { serviceTable } from "./service-table.ts";
import { transparency } from "./transparency.ts";
import { updateCost } from "./update-cost.ts";

/** BENCHMARKS in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [
  flatTranslation,
  updateCost,
  serviceTable,
  transparency,
  accuracy,
  detection,
  probeCost,
  failoverGap,
  dns,
];

/** PARTS of a benchmark, run when they are named. */
export const PARTS: readonly Benchmark[] = [...DNS_PARTS, apiAnswer, exportAnswer, exportAll];
