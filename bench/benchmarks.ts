import { accuracy } from "./accuracy.ts";
import type { Benchmark } from "./benchmark.ts";

/** BENCHMARKS in the order in which they run. */
export const BENCHMARKS: readonly Benchmark[] = [accuracy];
