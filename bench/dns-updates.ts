import { readFile, rm } from "node:fs/promises";
import { systemClock } from "#life";
import { type Outcome, type Row, ratioRow } from "./benchmark.ts";
import type { DnsBench } from "./dns-bench.ts";
import { inRounds, pairsOf, queriesFor, type Run, runLoad } from "./dns-rounds.ts";
import { discards } from "./dns-throughput.ts";
import { CANARY, shuffledNames } from "./dns-workload.ts";
import { percentile, spread } from "./stats.ts";
import { micros, millis } from "./units.ts";

const RATE = 20_000;
const CHANGES = 1000;
const CANARY_EVERY = 8;
const MOST_MS = 5;

/** updates: P5. The same server while 1,000 services a second change, and while none does; and when a change is seen in
 *  an answer, from the call that made it. */
export async function updates(bench: DnsBench): Promise<Omit<Outcome, "compared">> {
  const { stand, services, seconds, ask } = bench;
  const stamps = stand.file("stamps.json");
  const server = await stand.up("ours", services, { changesPerSecond: CHANGES, stamps });
  const queries = await queriesFor(stand, [CANARY, ...shuffledNames(services)], "queries-canary");
  const load = {
    mode: { kind: "open", rate: RATE },
    seconds: seconds * 2,
    queries,
    canaryEvery: CANARY_EVERY,
  } as const;
  const delays: number[] = [];
  const run = async (which: "changing" | "still"): Promise<Run> => {
    if (which === "changing") process.kill(server.pid, "SIGUSR1");
    const measured = await runLoad(server, load, ask.signal);
    if (which === "still") return measured;
    process.kill(server.pid, "SIGUSR2");
    delays.push(...delaysOf(await stampsIn(stamps), measured));
    return measured;
  };
  const rounds = await inRounds(["changing", "still"], bench.rounds, run, ask);
  const lost = rounds.kept.flatMap((round) => [...round.values()]).reduce((sum, result) => sum + result.lost, 0);
  const p99 = percentile(delays, 0.99);
  const plain = (what: string, a: string, target: string, holds: boolean): Row => ({
    ...{ what, a, b: "", ratio: spread([]), target, holds },
  });
  return {
    rows: [
      ratioRow(
        `P5 p99 with ${CHANGES} changes/s / without`,
        pairsOf(rounds, "changing", "still", (r) => r.p99Us),
        micros,
        { most: 1.3 },
      ),
      ratioRow(
        "P5 p50 with changes / without",
        pairsOf(rounds, "changing", "still", (r) => r.p50Us),
        micros,
      ),
      plain("P5 queries lost", String(lost), "0", lost === 0),
      plain(`P5 change until seen, p99 of ${delays.length}`, millis(p99), `<= ${MOST_MS} ms`, p99 <= MOST_MS),
    ],
    notes: [
      `P5 change until seen: p50 ${millis(percentile(delays, 0.5))}, slowest ${millis(Math.max(...delays))}`,
      ...discards("P5", rounds),
    ],
  };
}

/** delaysOf is how long each change took that was seen at all: one that the next overtook before it was asked for is
 *  seen in the next one's address. */
function delaysOf(stamps: readonly (readonly [number, number])[], { canary }: Run): readonly number[] {
  const [first] = canary;
  return stamps.flatMap(([address, atMs]) => {
    if (first === undefined || address <= first[0]) return [];
    const seen = canary.find(([later]) => later >= address);
    return seen === undefined ? [] : [seen[1] - atMs];
  });
}

/** stampsIn waits for the server to write its stamps, and takes them away. */
async function stampsIn(file: string): Promise<readonly (readonly [number, number])[]> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      const stamps = JSON.parse(await readFile(file, "utf8")) as readonly (readonly [number, number])[];
      await rm(file);
      return stamps;
    } catch {
      await systemClock.sleep(10); // not there yet, or half written
    }
  }
  throw new Error(`the server did not write ${file}`);
}
