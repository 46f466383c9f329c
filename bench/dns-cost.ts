import { type Limit, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, pairsOf, type Run, runLoad } from "./dns-rounds.ts";
import type { ContenderName } from "./dns-stand.ts";
import { discards } from "./dns-throughput.ts";
import { median } from "./stats.ts";
import { micros } from "./units.ts";

const RATE = 30_000;
/** What the server of dns2 can bear: it is asked at this rate, and its cost for a query compared all the same. */
const DNS2_RATE = 2000;
const NAMES: readonly ContenderName[] = ["ours", "ours-dgram", "coredns", "coredns-bare", "nsd", "dns2", "c-reference"];

/** cost: P2. CPU time for one query at 30,000 a second, of all threads and children, and of the kernel for them. */
export async function cost(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const names = bench.present(NAMES);
  const queries = await bench.queries();
  const run = async (name: ContenderName): Promise<Run> => {
    const contender = await bench.stand.up(name, bench.services);
    const mode = { kind: "open", rate: name === "dns2" ? DNS2_RATE : RATE } as const;
    return runLoad(contender, { mode, seconds: bench.seconds, queries }, bench.ask.signal);
  };
  const rounds = await inRounds(names, bench.rounds, run, bench.ask);
  const row = (a: ContenderName, b: ContenderName, limit: Limit): readonly Row[] => {
    const pairs = pairsOf(rounds, a, b, microsOf);
    return pairs.length === 0 ? [] : [ratioRow(`P2 CPU a query, ${a} / ${b}`, pairs, micros, limit)];
  };
  const rows = [
    ...row("ours", "coredns", { most: 0.3 }),
    ...row("ours", "coredns-bare", { most: 0.35 }),
    ...row("ours", "nsd", { most: 1 }),
    ...row("ours", "c-reference", { most: 1.1 }),
    ...row("ours-dgram", "dns2", { most: 0.35 }),
    ...row("ours-dgram", "coredns", { most: 0.9 }),
  ];
  const latencies = names.map((name) => {
    const runs = rounds.kept.flatMap((round) => round.get(name) ?? []);
    const late = runs.filter(({ limited }) => limited).length;
    const warning = late === 0 ? "" : `, THE GENERATOR WAS LATE in ${late} of ${runs.length} runs`;
    const of = (figure: (run: Run) => number): string => micros(median(runs.map(figure)));
    const lost = runs.reduce((sum, { lost }) => sum + lost, 0);
    const latency = `p50 ${of((r) => r.p50Us)}, p99 ${of((r) => r.p99Us)}, p99.9 ${of((r) => r.p999Us)}`;
    return `P2 ${name}: ${latency}, ${lost} lost${warning}`;
  });
  return { rows, notes: [...latencies, ...discards("P2", rounds)] };
}

/** microsOf is CPU time for one answer, with the kernel's packet thread on that CPU. */
function microsOf({ cpuSeconds, softirqSeconds, answered }: Run): number {
  return ((cpuSeconds + softirqSeconds) / answered) * 1e6;
}
