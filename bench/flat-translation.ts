import type { Run } from "#lab";
import { describeFault } from "#life";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { startAccepting, timeConnects } from "./connects.ts";
import { enter, globalnetIn, PLAN } from "./globalnet-in.ts";
import { inRun } from "./in-run.ts";
import { sendTcp, startIperf } from "./iperf.ts";
import { interleave } from "./pairs.ts";
import { peerPrograms } from "./peer-programs.ts";
import { globalOf, resetChain } from "./per-object-rules.ts";
import { pingPong, startSockperf } from "./sockperf.ts";
import { median } from "./stats.ts";
import { megabits, micros } from "./units.ts";
import { raiseWirePair, type WirePair } from "./wire-pair.ts";

const SIZES = [10_000, 50_000] as const;
const CHAIN_RULES = 10_000;
const PORT = 8080;
const SOCKPERF_PORT = 11_111;
/** The pod whose rule is the last of the chain, and that is measured throughout. */
const LAST = CHAIN_RULES - 1;

/** flatTranslation: P7. Prefix swap holds nothing per address: what costs nothing at 1 address costs nothing at 50,000.
 *  Beside it a chain with one rule per address. */
export const flatTranslation: Benchmark = {
  name: "p7",
  title: "P7 flat translation: 1, 10,000 and 50,000 global addresses in use",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

interface Stage {
  readonly ours: WirePair;
  readonly chain: WirePair;
  readonly bare: WirePair;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const programs = await peerPrograms(["sockperf", "iperf3", "taskset"], ask.say);
  if (!programs.ok) throw new Error(programs.error);
  const stage = await setUp(run);
  const rows: Row[] = [];
  for (const size of SIZES) rows.push(...(await compareSizes(stage.ours, size, ask)));
  const { row, notes } = await compareChain(stage, ask);
  return {
    compared: "A: all addresses in use, B: one address; TCP handshakes, UDP ping-pong and iperf3 through one node",
    rows: [...rows, row],
    notes,
  };
}

/** Three nodes alike: our rules, one rule per address, and none at all (there the peer uses pod addresses). */
async function setUp(run: Run): Promise<Stage> {
  const [ours, chain, bare] = [await raise(run, "ours"), await raise(run, "chain"), await raise(run, "bare")];
  const done = await globalnetIn(ours.node).reconcile({ plan: PLAN, services: new Map() });
  if (!done.ok) throw new Error(describeFault(done.error));
  await resetChain(enter(chain.node), CHAIN_RULES);
  await startSockperf(ours.pods, "sockperf", { address: "0.0.0.0", port: SOCKPERF_PORT }, 0);
  await startIperf(ours.pods, "iperf3");
  return { ours, chain, bare };
}

async function raise(run: Run, name: string): Promise<WirePair> {
  const pair = await raiseWirePair(run, `p7-${name}`);
  await startAccepting(pair.pods, `${name}-accepting`, [PORT]);
  return pair;
}

/** Flow is what one run measured. */
interface Flow {
  readonly p50Us: number;
  readonly rttUs: number;
  readonly bits: number;
}

type Targets = readonly { readonly address: string; readonly port: number }[];

/** Each run first makes connections to all its addresses, so that they are in use: their entries are in conntrack. */
async function measureFlow({ peer }: WirePair, targets: Targets, quick: boolean): Promise<Flow> {
  await timeConnects(peer, { targets, count: targets.length, warmUp: 0 });
  const { p50Us } = await timeConnects(peer, { targets, count: quick ? 500 : 2000, warmUp: 100 });
  const trips = await pingPong(peer, { address: globalOf(LAST), port: SOCKPERF_PORT }, 1, 1);
  const sent = await sendTcp(peer, globalOf(LAST), 1, quick ? 1 : 2);
  return { p50Us, rttUs: trips.p50Us, bits: sent.bitsPerSecond };
}

async function compareSizes(pair: WirePair, size: number, { quick, signal, say }: BenchAsk): Promise<readonly Row[]> {
  const many = Array.from({ length: quick ? 500 : size }, (_, i) => ({ address: globalOf(i + 256), port: PORT }));
  const one = [{ address: globalOf(LAST), port: PORT }];
  say(`${size} addresses`);
  const { kept } = await interleave({
    a: () => measureFlow(pair, many, quick),
    b: () => measureFlow(pair, one, quick),
    ...{ pairs: quick ? 1 : 5, warmUps: quick ? 0 : 1, signal },
  });
  const of = (pick: (flow: Flow) => number) => kept.map(({ a, b }) => ({ a: pick(a), b: pick(b) }));
  const text = size.toLocaleString("en");
  const connects = of((flow) => flow.p50Us);
  const trips = of((flow) => flow.rttUs);
  const bits = of((flow) => flow.bits);
  return [
    ratioRow(`connect, ${text} addresses`, connects, micros, { most: 1 / 0.95 }),
    ratioRow(`round trip, ${text}`, trips, micros, { most: 1 / 0.95 }),
    ratioRow(`TCP throughput, ${text}`, bits, megabits, { least: 0.95 }),
  ];
}

/** The first packet of a connection finds its rule: by arithmetic, or by trying 10,000. What the path costs without any
 *  translation is taken off both: it is the translation that is compared. */
async function compareChain({ ours, chain, bare }: Stage, { quick, signal }: BenchAsk) {
  const connect = async ({ peer }: WirePair, address: string): Promise<number> =>
    (await timeConnects(peer, { targets: [{ address, port: PORT }], count: quick ? 200 : 2000, warmUp: 100 })).p50Us;
  const plain: number[] = [];
  const a = async (): Promise<number> => {
    plain.push(await connect(bare, "10.244.39.15"));
    return connect(ours, globalOf(LAST));
  };
  const b = (): Promise<number> => connect(chain, globalOf(LAST));
  const { kept } = await interleave({ a, b, pairs: quick ? 1 : 5, signal });
  const base = median(plain);
  const [mine, theirs] = [median(kept.map((pair) => pair.a)), median(kept.map((pair) => pair.b))];
  const row = ratioRow(`connect, B: the last of ${CHAIN_RULES.toLocaleString("en")} rules`, kept, micros);
  const times = (theirs - base) / Math.max(1, mine - base);
  return {
    row: { ...row, target: "translation alone >= 10 times faster", holds: times >= 10 },
    notes: [
      `without any translation ${micros(base)}: ours adds ${micros(mine - base)}, the chain ${micros(theirs - base)}, ${times.toFixed(1)} times as much`,
    ],
  };
}
