import {
  type Daemon,
  eventually,
  firstNode,
  type Latency,
  listAllocations,
  mustExec,
  type Place,
  verbJson,
} from "#lab";
import { systemClock } from "#life";
import { addressAt, err, expect, type Ip, ok, parseCidr, type Result } from "#values";
import type { BenchAsk, Benchmark, Outcome } from "./benchmark.ts";
import { ratioRow } from "./benchmark.ts";
import { inRun } from "./in-run.ts";
import { joinCluster, raisePair } from "./lab-pair.ts";
import { interleave } from "./pairs.ts";
import { peerPrograms } from "./peer-programs.ts";
import { pingPong, type SockperfTarget, startSockperf } from "./sockperf.ts";
import { median } from "./stats.ts";
import { micros } from "./units.ts";

const PAIRS = 30;
const SECONDS = 1;
const PORT = 11_111;
/** What the tool may be off by, whichever is more. */
const MOST_SHARE = 0.05;
const MOST_US = 20;

/** accuracy: `meridian bench` and sockperf measure the same tunnel between the same two gateways, in turn. */
export const accuracy: Benchmark = {
  name: "bench-accuracy",
  title: "bench-accuracy: what `meridian bench` reports, against sockperf",
  run: (ask) => inRun(async (run) => measure(ask, await setUp(run, ask)), ask.signal),
};

interface Stage {
  readonly amber: Place;
  readonly birch: Place;
  readonly daemon: Daemon;
  readonly target: SockperfTarget;
}

async function setUp(run: Parameters<typeof raisePair>[0], { say }: BenchAsk): Promise<Stage> {
  expect(await peerPrograms(["sockperf", "taskset"], say));
  const pair = await raisePair(run);
  const [, daemon] = [await joinCluster(pair, pair.amber), await joinCluster(pair, pair.birch)];
  const [amber, birch] = [firstNode(pair.amber), firstNode(pair.birch)];
  await systemClock.sleep(2000); // the tunnel is up by then
  const address = await nodeAddressOf(pair.broker, "amber");
  await startSockperf(amber, "sockperf", { address, port: PORT });
  return { amber, birch, daemon, target: { address, port: PORT } };
}

/** A gateway's own global address is the first of its member's nodes, counted from 1. */
async function nodeAddressOf(broker: Daemon, cluster: string): Promise<Ip> {
  const found = (await listAllocations(broker)).find((entry) => entry.cluster === cluster && entry.kind === "nodes");
  return addressAt(expect(parseCidr(found?.prefix ?? "")), 1n);
}

async function measure({ quick, say, signal }: BenchAsk, stage: Stage): Promise<Outcome> {
  const pairs = quick ? 2 : PAIRS;
  const { kept, discarded } = await interleave({
    a: () => byMeridian(stage.daemon),
    b: () => bySockperf(stage),
    ...{ pairs, turned: true, signal, say },
  });
  // How far apart sockperf's own runs are, of this pair and the next, is what any tool may be off by.
  const again = kept.slice(1).map(({ b }, i) => ({ off: b - (kept[i]?.b ?? b), of: b }));
  const ours = kept.map(({ a, b }) => ({ off: a - b, of: b }));
  const off = median(ours.map((difference) => difference.off));
  const most = mostOff(median(kept.map(({ b }) => b)));
  return {
    compared: `A: meridian bench, B: sockperf ping-pong --full-rtt, UDP, ${SECONDS} s each, between two gateways`,
    rows: [
      {
        ...ratioRow("p50 round trip", kept, micros),
        target: `median of ${pairs} differences <= max(5 %, 20 µs)`,
        holds: Math.abs(off) <= most,
      },
    ],
    notes: [
      `ours less sockperf's: ${describe(ours)}`,
      `sockperf less itself, one pair before: ${describe(again)}`,
      `${discarded} pairs discarded for stolen CPU time`,
    ],
  };
}

/** Difference is how far one run was off another that measured `of` microseconds. */
interface Difference {
  readonly off: number;
  readonly of: number;
}

function mostOff(us: number): number {
  return Math.max(MOST_SHARE * us, MOST_US);
}

/** What a tool is off by in single runs says little where another is as far off itself: both are told. */
function describe(differences: readonly Difference[]): string {
  const off = differences.map((difference) => difference.off);
  const within = differences.filter((difference) => Math.abs(difference.off) <= mostOff(difference.of)).length;
  const range = `${micros(Math.min(...off))} to ${micros(Math.max(...off))}`;
  return `median ${micros(median(off))}, ${range}; ${within} of ${off.length} single runs within max(5 %, 20 µs)`;
}

async function byMeridian(daemon: Daemon): Promise<number> {
  const table = expect(await verbJson<readonly Latency[]>(daemon, ["bench", "--duration", `${SECONDS}s`]));
  return (table[0]?.p50Seconds ?? Number.NaN) * 1e6;
}

/** The guard lets only the daemon's own port in on a gateway's global address, and the daemon takes out again what it
 *  did not put there: the port is opened before each run, and once more where the daemon was faster. */
async function bySockperf({ amber, birch, target }: Stage): Promise<number> {
  const open = ["nft", "add", "element", "ip", "meridian", "daemonports", `{ udp . ${PORT} }`];
  const attempt = async (): Promise<Result<number>> => {
    await mustExec(amber, open);
    return pingPong(birch, target, SECONDS).then(
      ({ p50Us }) => ok(p50Us),
      (reason: Error) => err(reason.message),
    );
  };
  return expect(await eventually(attempt));
}
