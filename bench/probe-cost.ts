import { setTimeout as sleep } from "node:timers/promises";
import { mustExec, type Run } from "#lab";
import { type BenchAsk, type Benchmark, type Outcome, ratioRow } from "./benchmark.ts";
import { BFDD, isBfd, startBfd } from "./bfd.ts";
import { inRun } from "./in-run.ts";
import { peerPrograms } from "./peer-programs.ts";
import { isVerdict, probe, raiseProbePair, startProber } from "./probe-pair.ts";
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

/** Cost is the share of a core that each took in one window. */
interface Cost {
  readonly ours: number;
  readonly bfd: number | null;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const frr = await peerPrograms([BFDD], ask.say);
  const { prober, bfd } = await raise(run, frr.ok, ask.say);
  const [windows, seconds] = ask.quick ? [1, 2] : [6, 10];
  const costs: Cost[] = [];
  await sleep(2000); // both have settled on their pace
  for (let n = 0; n < windows; n += 1) {
    costs.push(await watch(prober, bfd, seconds));
    ask.say(`window ${n + 1} of ${windows}`);
  }
  const beside = costs.flatMap(({ ours, bfd }) => (bfd === null ? [] : [{ a: ours, b: bfd }]));
  const limit = costs.map(({ ours }) => ({ a: ours, b: MOST_SHARE }));
  const notes = "the far side of the program's probes is translated, which is partly charged to the sender";
  return {
    compared: `A: the program's prober, default; B: another; ${windows} windows of ${seconds} s, both at once`,
    rows: [
      ratioRow(`at most ${MOST_SHARE * 100} % of a core`, limit, percent, { most: 1 }),
      ...(beside.length === 0 ? [] : [ratioRow("FRR's bfdd, 50 ms", beside, percent, { most: 1 })]),
    ],
    notes: [notes, ...(frr.ok ? [] : [`SKIPPED bfdd: ${frr.error}`])],
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

async function raise(run: Run, withBfd: boolean, say: BenchAsk["say"]) {
  const { left, right, leftAddress, rightAddress } = await raiseProbePair(run, PEERS);
  const peers = Array.from({ length: PEERS }, (_, n) => rightAddress(n));
  await mustExec(right, ["nft", "-f", "-"], { stdin: ONE_FOR_ALL });
  const prober = await startProber(left, leftAddress(0));
  await startProber(right, rightAddress(0));
  const all = count(prober, (line) => isVerdict(line, true));
  probe(prober, peers);
  await all;
  say(`${PEERS} peers answer the program`);
  if (!withBfd) return { prober, bfd: null };
  const sessions = peers.map((peer, n) => ({ local: leftAddress(n), peer }));
  await startBfd(
    right,
    sessions.map(({ local, peer }) => ({ local: peer, peer: local })),
  );
  const bfd = await startBfd(left, sessions);
  await count(bfd, (line) => isBfd(line, "up"));
  say(`${PEERS} peers answer bfdd`);
  return { prober, bfd };
}

/** As many lines as there are peers: each came up. */
async function count(talker: Talker, wants: (line: string) => boolean): Promise<void> {
  let seen = 0;
  await talker.next((line) => wants(line) && ++seen === PEERS);
}

async function watch(prober: Talker, bfd: Talker | null, seconds: number): Promise<Cost> {
  const read = () => Promise.all([prober, bfd].map((one) => (one === null ? 0 : cpuSecondsOf(one.pid))));
  const start = performance.now();
  const [ours = 0, theirs = 0] = await read();
  await sleep(seconds * 1000);
  const [oursThen = 0, theirsThen = 0] = await read();
  const span = (performance.now() - start) / 1000;
  return { ours: (oursThen - ours) / span, bfd: bfd === null ? null : (theirsThen - theirs) / span };
}
