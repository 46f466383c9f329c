import type { Place, Run } from "#lab";
import { type BenchAsk, type Benchmark, type Outcome, ratioRow } from "./benchmark.ts";
import { BFDD, isBfd, startBfd } from "./bfd.ts";
import { inRun } from "./in-run.ts";
import { peerPrograms } from "./peer-programs.ts";
import { cutWire, healWire, isVerdict, probe, raiseProbePair, startProber } from "./probe-pair.ts";
import { Talker } from "./talker.ts";
import { millis } from "./units.ts";

/** Submariner's rule (pkg/cableengine/healthchecker, pinger.go): a ping a second; an error when more than five of those
 *  sent have no answer. `ping -O` says of each one without an answer so when it sends the next. */
const UNANSWERED = 5;
/** What detection may take longer than bfdd at 50 ms and three misses. */
const ALLOWANCE_MS = 50;
const MOST_MS = 300;

/** detection: P13. All contenders watch the same wire and are blinded by the same rule at the same moment. */
export const detection: Benchmark = {
  name: "p13",
  title: "P13 detection: a wire goes dead, until it is known to be",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

/** One cut: how long each took, in milliseconds. */
interface Detected {
  readonly ours: number;
  readonly bfd: number | null;
  readonly submariner: number;
}

interface Watchers {
  readonly place: Place;
  readonly far: string;
  readonly prober: Talker;
  /** Null where the machine has none. */
  readonly bfd: Talker | null;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const frr = await peerPrograms([BFDD], ask.say);
  const watchers = await raise(run, frr.ok);
  const cuts: Detected[] = [];
  const count = ask.quick ? 1 : 7;
  for (let n = 0; n < count; n += 1) {
    cuts.push(await cutOnce(watchers));
    ask.say(`cut ${n + 1} of ${count}: ${Math.round(cuts.at(-1)?.ours ?? 0)} ms`);
  }
  const pairs = (of: (cut: Detected) => number) => cuts.map((cut) => ({ a: cut.ours, b: of(cut) }));
  const beside = cuts.filter((cut): cut is Detected & { readonly bfd: number } => cut.bfd !== null);
  const bfd = beside.map(({ ours, bfd }) => ({ a: ours, b: bfd }));
  const allowed = beside.map(({ ours, bfd }) => ({ a: ours, b: bfd + ALLOWANCE_MS }));
  const rows = [
    ratioRow(
      "Submariner's rule, 1 s and 5 without an answer",
      pairs(({ submariner }) => submariner),
      millis,
      { most: 0.05 },
    ),
    ratioRow(
      `at most ${MOST_MS} ms`,
      pairs(() => MOST_MS),
      millis,
      { most: 1 },
    ),
    ...(bfd.length === 0 ? [] : [ratioRow("FRR's bfdd, 50 ms and 3 misses", bfd, millis)]),
    ...(bfd.length === 0 ? [] : [ratioRow(`the same and ${ALLOWANCE_MS} ms`, allowed, millis, { most: 1 })]),
  ];
  const notes = ["false verdicts under loss and load: node prove/main.ts keeps-2-quiet"];
  return {
    compared: `A: the program's prober, default; B: another, on the same wire and cut; ${count} cuts`,
    rows,
    notes: [...notes, ...(frr.ok ? [] : [`SKIPPED bfdd: ${frr.error}`])],
  };
}

async function raise(run: Run, withBfd: boolean): Promise<Watchers> {
  const pair = await raiseProbePair(run, 1);
  const [near, far] = [pair.leftAddress(0), pair.rightAddress(0)];
  const prober = await startProber(pair.left, near);
  const answering = await startProber(pair.right, far);
  const up = prober.next((line) => isVerdict(line, true));
  probe(answering, [near]);
  probe(prober, [far]);
  await up;
  if (!withBfd) return { place: pair.left, far, prober, bfd: null };
  await startBfd(pair.right, [{ local: far, peer: near }]);
  const bfd = await startBfd(pair.left, [{ local: near, peer: far }]);
  await bfd.next((line) => isBfd(line, "up"));
  return { place: pair.left, far, prober, bfd };
}

/** The pings begin before each cut and end with it: at another moment of their second each time, as cuts come. */
async function cutOnce({ place, far, prober, bfd }: Watchers): Promise<Detected> {
  const ping = new Talker(place, ["ping", "-i", "1", "-O", far]);
  await ping.next((line) => line.includes("icmp_seq=1 "));
  await new Promise((resolve) => setTimeout(resolve, 1000 * Math.random()));
  let unanswered = 0;
  const spent = ping.next((line) => line.includes("no answer yet") && ++unanswered === UNANSWERED);
  const fallen = [prober.next((line) => isVerdict(line, false)), bfd?.next((line) => isBfd(line, "down"))] as const;
  const { before, after } = await cutWire(place);
  const at = (before + after) / 2;
  const [ours, theirs, submariner] = await Promise.all([...fallen, spent]);
  ping.child.kill();
  const risen = [prober.next((line) => isVerdict(line, true)), bfd?.next((line) => isBfd(line, "up"))] as const;
  await healWire(place);
  await Promise.all(risen);
  return { ours: ours.at - at, bfd: theirs === undefined ? null : theirs.at - at, submariner: submariner.at - at };
}
