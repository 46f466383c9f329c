import { type Outcome, type Row, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, pairsOf, type Run, runLoad } from "./dns-rounds.ts";
import { discards } from "./dns-throughput.ts";
import { spread } from "./stats.ts";
import { micros, millis } from "./units.ts";

const SHARE = 0.6;
const LONG_SECONDS = 60;
const MOST_MS = 5;

/** latency: P3. How long the slowest one in a hundred waits at 60 % of what CoreDNS can do, and the slowest of all in a
 *  minute. */
export async function latency(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const names = bench.present(["ours", "coredns"]);
  const { stand, services, seconds, ask } = bench;
  const queries = await bench.queries();
  const peer = await stand.up(names.at(-1) ?? "ours", services);
  const closed = { kind: "closed", outstanding: 256 } as const;
  const most = await runLoad(peer, { mode: closed, seconds, queries }, ask.signal);
  const mode = { kind: "open", rate: Math.round(most.perSecond * SHARE) } as const;
  const run = async (name: (typeof names)[number]): Promise<Run> =>
    runLoad(await stand.up(name, services), { mode, seconds: seconds * 2, queries }, ask.signal);
  const rounds = await inRounds(names, bench.rounds, run, ask);
  const row = (what: string, figure: (of: Run) => number, limit: { readonly most?: number }): readonly Row[] => {
    const pairs = pairsOf(rounds, "ours", "coredns", figure);
    return pairs.length === 0 ? [] : [ratioRow(`P3 ${what} at ${mode.rate} q/s, ours / coredns`, pairs, micros, limit)];
  };
  const long = ask.quick ? seconds : LONG_SECONDS;
  const minute = await runLoad(await stand.up("ours", services), { mode, seconds: long, queries }, ask.signal);
  const slowest: Row = {
    ...{ what: `P3 slowest of ${minute.answered} answers in ${long} s`, a: millis(minute.maxUs / 1000), b: "" },
    ...{ ratio: spread([]), target: `<= ${MOST_MS} ms`, holds: minute.maxUs <= MOST_MS * 1000 },
  };
  const lag = `the generator's own lateness: p99 ${micros(minute.lagP99Us)}`;
  const rest = `P3 in ${long} s: p50 ${micros(minute.p50Us)}, p99 ${micros(minute.p99Us)}, p99.9 ${micros(minute.p999Us)}, ${minute.lost} lost; ${lag}`;
  return {
    rows: [...row("p99", (r) => r.p99Us, { most: 0.5 }), ...row("p99.9", (r) => r.p999Us, {}), slowest],
    notes: [rest, ...discards("P3", rounds)],
  };
}
