import { accuracy } from "./accuracy.ts";
import type { Benchmark } from "./benchmark.ts";
import { serviceTable } from "./service-table.ts";

/** BENCHMARKS in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [serviceTable, accuracy];
