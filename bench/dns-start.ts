import { type Outcome, type Row, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, pairsOf } from "./dns-rounds.ts";
import type { ContenderName } from "./dns-stand.ts";
import { median, spread } from "./stats.ts";
import { millis } from "./units.ts";

const SERVICES = 10_000;
const MOST_MS = 300;

/** start: P19. From the start of a process to its first right answer, for the last of 10,000 services, asked for once a
 *  millisecond. Ours is the whole program with a file of ServiceImports; the others read a file of theirs. All have two
 *  CPUs, less what asking takes. */
export async function start(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const names = bench.present(["meridian", "coredns", "nsd"]);
  const run = async (name: ContenderName): Promise<number> => {
    await using contender = await bench.stand.start(name, SERVICES, { cpus: 2 });
    return contender.startMs;
  };
  const rounds = await inRounds(names, bench.rounds, run, bench.ask);
  const ours = rounds.kept.map((round) => round.get("meridian") ?? Number.NaN);
  const row = (b: ContenderName): readonly Row[] => {
    const pairs = pairsOf(rounds, "meridian", b, (ms) => ms);
    return pairs.length === 0 ? [] : [ratioRow(`P19 first answer, meridian dns / ${b}`, pairs, millis)];
  };
  const beside = median(
    rounds.kept.map((round) => (round.get("meridian") ?? Number.NaN) / (round.get("coredns") ?? Number.NaN)),
  );
  const own: Row = {
    ...{
      what: "P19 first answer of `meridian dns` with 10,000 services",
      a: millis(median(ours)),
      b: "",
      ratio: spread([]),
    },
    ...{ target: `<= ${MOST_MS} ms or 0.5 x coredns`, holds: median(ours) <= MOST_MS || beside <= 0.5 },
  };
  const slowest = `P19 slowest start: ${millis(Math.max(...ours))}; every contender had two CPUs`;
  return { rows: [own, ...row("coredns"), ...row("nsd")], notes: [slowest] };
}
