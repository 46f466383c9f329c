import { setTimeout as sleep } from "node:timers/promises";
import { mustExec, type Run } from "#lab";
import { type BenchAsk, type Benchmark, type Outcome, ratioRow } from "./benchmark.ts";
import { BFDD, isBfd, startBfd } from "./bfd.ts";
import { inRun } from "./in-run.ts";
import { peerPrograms } from "./peer-programs.ts";
import { isVerdict, type ProbePair, probe, raiseProbePair, startProber } from "./probe-pair.ts";
import type { Talker } from "./talker.ts";
import { cpuSecondsOf } from "./usage.ts";

const PEERS = 100;
/** The most that watching all of them may cost, as a share of a core. */
const MOST_SHARE = 0.03;
/** The far prober has one address and answers for all: each probe comes back from the address that it went to. */
const ONE_FOR_ALL = `table ip one-for-all {
  chain in { type nat hook prerouting priority -100; ip daddr 198.18.2.0/24 udp dport 7946 dnat to 198.18.2.1; }
}
`;

/** probeCost: P14. Both watch a hundred neighbours twenty times a second, at the same time on the same wire. */
export const probeCost: Benchmark = {
  name: "p14",
  title: `P14 probes: the CPU time of watching ${PEERS} peers`,
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const frr = await peerPrograms([BFDD], ask.say);
  const pair = await raiseProbePair(run, PEERS);
  const windows = { count: ask.quick ? 1 : 5, seconds: ask.quick ? 2 : 8 };
  const prober = await startOurs(pair, ask.say);
  const alone = (await watch([prober], windows)).map(([ours = 0]) => ({ a: ours, b: MOST_SHARE }));
  const both = frr.ok ? await watch([prober, await startTheirs(pair, ask.say)], windows) : [];
  const beside = both.map(([ours = 0, theirs = 0]) => ({ a: ours, b: theirs }));
  const note = "the far side of the program's probes is translated, which is partly charged to the sender";
  return {
    compared: `A: the program's prober, default; B: another; ${windows.count} windows of ${windows.seconds} s, both at once`,
    rows: [
      ratioRow(`alone: at most ${MOST_SHARE * 100} % of a core`, alone, percent, { most: 1 }),
      ...(beside.length === 0 ? [] : [ratioRow("FRR's bfdd, 50 ms", beside, percent, { most: 1 })]),
    ],
    notes: [note, ...(frr.ok ? [] : [`SKIPPED bfdd: ${frr.error}`])],
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

async function startOurs({ left, right, leftAddress, rightAddress }: ProbePair, say: BenchAsk["say"]): Promise<Talker> {
  await mustExec(right, ["nft", "-f", "-"], { stdin: ONE_FOR_ALL });
  const prober = await startProber(left, leftAddress(0));
  await startProber(right, rightAddress(0));
  const all = count(prober, (line) => isVerdict(line, true));
  probe(
    prober,
    Array.from({ length: PEERS }, (_, n) => rightAddress(n)),
  );
  await all;
  say(`${PEERS} peers answer the program`);
  return prober;
}

async function startTheirs(
  { left, right, leftAddress, rightAddress }: ProbePair,
  say: BenchAsk["say"],
): Promise<Talker> {
  const sessions = Array.from({ length: PEERS }, (_, n) => ({ local: leftAddress(n), peer: rightAddress(n) }));
  const turned = sessions.map(({ local, peer }) => ({ local: peer, peer: local }));
  await startBfd(right, turned);
  const bfd = await startBfd(left, sessions);
  await count(bfd, (line) => isBfd(line, "up"));
  say(`${PEERS} peers answer bfdd`);
  return bfd;
}

/** As many lines as there are peers: each came up. */
async function count(talker: Talker, wants: (line: string) => boolean): Promise<void> {
  let seen = 0;
  await talker.next((line) => wants(line) && ++seen === PEERS);
}

/** The share of a core that each took, window by window. */
async function watch(
  talkers: readonly Talker[],
  { count, seconds }: { readonly count: number; readonly seconds: number },
): Promise<readonly (readonly number[])[]> {
  const read = () => Promise.all(talkers.map(({ pid }) => cpuSecondsOf(pid)));
  const shares: (readonly number[])[] = [];
  await sleep(2000); // all have settled on their pace
  for (let n = 0; n < count; n += 1) {
    const start = performance.now();
    const before = await read();
    await sleep(seconds * 1000);
    const after = await read();
    const span = (performance.now() - start) / 1000;
    shares.push(after.map((cpu, at) => (cpu - (before[at] ?? 0)) / span));
  }
  return shares;
}
