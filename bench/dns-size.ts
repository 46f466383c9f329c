import { type Outcome, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, queriesFor, type Run, runLoad } from "./dns-rounds.ts";
import { shuffledNames } from "./dns-workload.ts";
import { megabytes, queriesPerSecond } from "./units.ts";
import { memoryOf } from "./usage.ts";

const FEW = 100;
const MANY = 100_000;

/** size: P4. What 100,000 services cost against 100: queries a second, every name asked in turn in an order that no cache
 *  foresees, and memory beside the formula that CoreDNS publishes for its own. */
export async function size(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const { stand, seconds, ask } = bench;
  const many = ask.quick ? 10 * FEW : MANY;
  const sizes = { few: FEW, many } as const;
  const run = async (which: "few" | "many"): Promise<Run & { readonly rss: number }> => {
    const contender = await stand.up("ours", sizes[which]);
    const queries = await queriesFor(stand, shuffledNames(sizes[which]));
    const mode = { kind: "closed", outstanding: 256 } as const;
    const measured = await runLoad(contender, { mode, seconds, queries }, ask.signal);
    return { ...measured, rss: (await memoryOf(contender.pid)).rssBytes };
  };
  const { kept } = await inRounds(["few", "many"], bench.rounds, run, ask);
  const pairs = kept.flatMap((round) => {
    const [a, b] = [round.get("many"), round.get("few")];
    return a === undefined || b === undefined ? [] : [{ a, b }];
  });
  const rates = pairs.map(({ a, b }) => ({ a: a.perSecond, b: b.perSecond }));
  const memory = pairs.map(({ a }) => ({ a: a.rss, b: formulaBytes(many) }));
  return {
    rows: [
      ratioRow(`P4 most q/s, ${many.toLocaleString("en")} services / ${FEW}`, rates, queriesPerSecond, { least: 0.9 }),
      ratioRow(`P4 memory of ${many.toLocaleString("en")} services / CoreDNS's formula`, memory, megabytes, {
        most: 1,
      }),
    ],
    notes: [],
  };
}

/** formulaBytes: "MB required (default settings) = (Pods + Services) / 1000 + 54" was measured as 0.000858 MB each and
 *  49.1 MB (coredns/deployment, kubernetes/Scaling_CoreDNS.md). */
function formulaBytes(services: number): number {
  return (services * 0.000858 + 49.1) * 1e6;
}
