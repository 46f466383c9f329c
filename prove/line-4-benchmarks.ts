import { BENCHMARKS, failures, type Outcome, reportText } from "../bench/index.ts";
import type { Line } from "./line.ts";

/** line4: every benchmark of `make bench`, whose tables stand in the details. It holds when no row misses its target. */
export const line4: Line = {
  title: "accuracy of `meridian bench`; P7, P8, P22 and P16 as ratios of interleaved pairs",
  required: "p50 within max(5 %, 20 µs) of sockperf in 30 pairs; every ratio within its target",
  async run(say, signal) {
    const outcomes: (readonly [name: string, title: string, outcome: Outcome])[] = [];
    for (const { name, title, run } of BENCHMARKS) {
      say(name);
      const outcome = await run({ quick: false, say: (text) => say(`  ${text}`), signal });
      outcomes.push([name, title, outcome]);
    }
    const missed = outcomes.flatMap(([name, , outcome]) => failures(outcome).map((what) => `${name}: ${what}`));
    const targets = outcomes.flatMap(([, , { rows }]) => rows.filter(({ holds }) => holds !== null)).length;
    const accuracy = outcomes.find(([name]) => name === "bench-accuracy")?.[2].notes[0] ?? "";
    return {
      measured: `${targets - missed.length} of ${targets} targets; accuracy: ${accuracy.split(";")[0]}`,
      holds: missed.length === 0,
      details: [
        ...missed.map((what) => `missed: ${what}`),
        ...outcomes.flatMap(([, title, outcome]) => reportText(title, outcome).split("\n")),
      ],
    };
  },
};
