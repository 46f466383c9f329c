import { type Outcome, type Row, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, pairsOf, type Rounds, type Run, runLoad } from "./dns-rounds.ts";
import type { ContenderName } from "./dns-stand.ts";
import { queriesPerSecond } from "./units.ts";

const OUTSTANDING = 256;
/** A server that had less of its CPU was not at its limit. */
const MOST_BUSY = 0.9;

/** throughput: P1. The most queries a second that one CPU answers, with as many always under way. */
export async function throughput(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const names = bench.present(["ours", "ours-dgram", "coredns", "coredns-bare", "nsd"]);
  const queries = await bench.queries();
  const mode = { kind: "closed", outstanding: OUTSTANDING } as const;
  const rounds = await inRounds(
    names,
    bench.rounds,
    async (name) => {
      const contender = await bench.stand.up(name, bench.services);
      return runLoad(contender, { mode, seconds: bench.seconds, queries }, bench.ask.signal);
    },
    bench.ask,
  );
  const row = (a: ContenderName, b: ContenderName, least: number): readonly Row[] => {
    const pairs = pairsOf(rounds, a, b, ({ perSecond }) => perSecond);
    return pairs.length === 0 ? [] : [ratioRow(`P1 most q/s, ${a} / ${b}`, pairs, queriesPerSecond, { least })];
  };
  const rows = [
    ...row("ours", "coredns", 3),
    ...row("ours", "coredns-bare", 2.2),
    ...row("ours", "nsd", 1),
    ...row("ours-dgram", "coredns", 1),
  ];
  return { rows, notes: [...limits(names, rounds), ...discards("P1", rounds)] };
}

/** limits says in how many runs the generator was itself the limit, and how busy it and the server were. */
function limits(names: readonly ContenderName[], { kept }: Rounds<ContenderName, Run>): readonly string[] {
  return names.map((name) => {
    const runs = kept.flatMap((round) => round.get(name) ?? []);
    const limited = runs.filter((run) => run.limited).length;
    const busy = Math.max(...runs.map((run) => run.cpuSeconds / run.seconds));
    const idle = Math.min(...runs.map((run) => run.idleShare));
    const own = busy < MOST_BUSY ? "neither was the limit: others had the CPU" : "the server was the limit";
    const who = limited > 0 ? `THE GENERATOR WAS THE LIMIT in ${limited} of ${runs.length} runs` : own;
    return `P1 ${name}: ${who} (its CPU ${percent(busy)} busy, the generator ${percent(idle)} idle at least)`;
  });
}

/** discards says how many rounds were thrown away. */
export function discards(what: string, { discarded }: { readonly discarded: number }): readonly string[] {
  return discarded === 0 ? [] : [`${what}: ${discarded} rounds discarded, since others took the CPU`];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
