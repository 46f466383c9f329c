import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { BenchAsk } from "./benchmark.ts";
import type { Contender } from "./dns-contender.ts";
import type { DnsStand } from "./dns-stand.ts";
import { queryFile } from "./dns-workload.ts";
import { generatorLimited, type LoadAsk, type LoadMode, type LoadResult } from "./load-ask.ts";
import { machine, stealShare } from "./usage.ts";

const GENERATOR = fileURLToPath(new URL("./dns-load.ts", import.meta.url));
/** Ports that queries come from. */
const SOCKETS = 16;
const MOST_STEAL = 0.02;

/** Load is what one run asks of a server. */
export interface Load {
  readonly mode: LoadMode;
  readonly seconds: number;
  /** File of queries, of the stand's. */
  readonly queries: string;
  readonly canaryEvery?: number;
}

/** Run is one measured run, and whether the generator was itself the limit. */
export interface Run extends LoadResult {
  readonly limited: boolean;
}

/** queriesFor writes the queries for some names once, and gives the file. */
export function queriesFor(stand: DnsStand, names: readonly string[], file = `queries-${names.length}`) {
  return stand.write(file, queryFile(names));
}

/** runLoad drives one server from CPU 1 and gives what was seen. A wrong answer fails it: a server that is fast because it
 *  does less is not compared. */
export async function runLoad({ port, pid }: Contender, load: Load, signal: AbortSignal): Promise<Run> {
  const { mode, seconds, queries, canaryEvery } = load;
  const ask: LoadAsk = {
    ...{ host: "127.0.0.1", port, queries, sockets: SOCKETS, seconds, warmUpSeconds: Math.min(1, seconds / 4) },
    ...{ mode, seed: 7, pids: [pid] },
    ...(canaryEvery === undefined ? {} : { canaryEvery }),
  };
  const child = spawn("taskset", ["-c", "1", process.execPath, GENERATOR, JSON.stringify(ask)], { signal });
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said === "") throw new Error(`the generator failed: ${complaint.trim().slice(-500)}`);
  const result = JSON.parse(said) as LoadResult;
  if (result.wrong > 0) throw new Error(`${result.wrong} of ${result.answered} answers from port ${port} are wrong`);
  return { ...result, limited: generatorLimited(ask, result) };
}

/** Rounds are runs of several contenders in turn, A B C A B C …: what changes slowly on the machine meets all alike. */
export interface Rounds<K extends string, T> {
  readonly kept: readonly ReadonlyMap<K, T>[];
  readonly discarded: number;
}

/** inRounds runs each of some contenders once a round. The first round is thrown away; so is one in which others took the
 *  CPU, up to as many as were asked for. */
export async function inRounds<K extends string, T>(
  names: readonly K[],
  rounds: number,
  run: (name: K) => Promise<T>,
  { say, signal }: Pick<BenchAsk, "say" | "signal">,
): Promise<Rounds<K, T>> {
  for (const name of names) await run(name);
  const kept: ReadonlyMap<K, T>[] = [];
  let tries = 0;
  for (; kept.length < rounds && tries < rounds * 2; tries++) {
    signal.throwIfAborted();
    const before = await machine();
    const round = new Map<K, T>();
    for (const name of names) round.set(name, await run(name));
    if (stealShare(before, await machine()) > MOST_STEAL) continue;
    kept.push(round);
    say(`round ${kept.length} of ${rounds}`);
  }
  return { kept, discarded: tries - kept.length };
}

/** pairsOf takes two contenders' figures out of rounds; none where one of them was not there. */
export function pairsOf<K extends string, T>(
  { kept }: Rounds<K, T>,
  a: K,
  b: K,
  figure: (of: T) => number,
): readonly { readonly a: number; readonly b: number }[] {
  return kept.flatMap((round) => {
    const [of, beside] = [round.get(a), round.get(b)];
    return of === undefined || beside === undefined ? [] : [{ a: figure(of), b: figure(beside) }];
  });
}
