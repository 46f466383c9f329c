import { existsSync, readlinkSync } from "node:fs";
import {
  type Daemon,
  firstNode,
  listAllocations,
  mustExec,
  type Place,
  POD_CIDR,
  type Pod,
  processesIn,
  type Run,
} from "#lab";
import { systemClock } from "#life";
import { swapPrefix } from "#values";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { raiseHandTunnel } from "./hand-tunnel.ts";
import { inRun } from "./in-run.ts";
import { sendTcp, startIperf, type Throughput } from "./iperf.ts";
import { addPods, joinCluster, type Pair, raisePair } from "./lab-pair.ts";
import { interleave, type Pairs } from "./pairs.ts";
import { peerPrograms } from "./peer-programs.ts";
import { pingPong, startSockperf } from "./sockperf.ts";
import { megabits, micros } from "./units.ts";

const PORT = 11_111;
const STREAMS = [1, 4] as const;

/** transparency: P16. Two tunnels side by side on one machine, one made by the program with GlobalNet on, one by hand;
 *  the same wireguard-go, MTU, bridges and kube-proxy-like rules. */
export const transparency: Benchmark = {
  name: "p16",
  title: "P16 tunnel: managed with GlobalNet, against the same wireguard-go by hand",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

/** Way is from a pod to a pod of the other end. */
interface Way {
  readonly from: Place;
  readonly address: string;
}

interface Stage {
  readonly managed: Way;
  readonly hand: Way;
  readonly wireguard: string;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const programs = await peerPrograms(["sockperf", "iperf3", "taskset"], ask.say);
  if (!programs.ok) throw new Error(programs.error);
  const stage = await setUp(run);
  const rows: Row[] = [];
  const notes: string[] = [`both tunnels run ${stage.wireguard}`];
  for (const streams of STREAMS) {
    ask.say(`TCP, ${streams} streams`);
    const sent = await compareTcp(stage, streams, ask);
    rows.push(
      ratioRow(
        `TCP, iperf3 -P ${streams}`,
        pick(sent, (one) => one.bitsPerSecond),
        megabits,
        { least: 0.95 },
      ),
    );
    const cpu = pick(sent, (one) => one.cpuSecondsPerGigabyte);
    rows.push(ratioRow("CPU time of the machine per GB", cpu, (value) => `${value.toFixed(2)} s`));
  }
  ask.say("round trips");
  rows.push(ratioRow("round trip p50, sockperf", (await compareTrips(stage, ask)).kept, micros, { most: 1.03 }));
  notes.push("skipped: without GlobalNet (--globalnet off), for which these clusters' networks would have to be apart");
  return {
    compared: "A: by the program, pods with equal CIDRs, translated; B: by hand, routed as they are; pod to pod",
    rows,
    notes,
  };
}

async function setUp(run: Run): Promise<Stage> {
  const pair = await raisePair(run);
  const [[server], [client]] = [await addPods(pair.amber, "server", 1), await addPods(pair.birch, "client", 1)];
  if (server === undefined || client === undefined) throw new Error("a pod is missing");
  await joinCluster(pair, pair.amber);
  await joinCluster(pair, pair.birch);
  await systemClock.sleep(2000); // the tunnel is up by then
  const wireguard = await wireguardOf(pair);
  const mtu = Number(await mustExec(firstNode(pair.birch), ["cat", "/sys/class/net/mrd0/mtu"]));
  const { near, far } = await raiseHandTunnel(pair.underlay, wireguard, mtu);
  const [[handServer], [handClient]] = [await addHandPods(near, 201), await addHandPods(far, 202)];
  if (handServer === undefined || handClient === undefined) throw new Error("a pod is missing");
  for (const pod of [server, handServer]) await startServers(pod);
  const managed = { from: client, address: await globalOf(pair.broker, server) };
  return { managed, hand: { from: handClient, address: handServer.address }, wireguard };
}

const addHandPods = (cluster: Pair["amber"], second: number): Promise<readonly Pod[]> =>
  addPods(cluster, "pod", 1, 10, `10.${second}.1`);

async function startServers(pod: Pod): Promise<void> {
  await startIperf(pod, `iperf3-${pod.name}`);
  await startSockperf(pod, `sockperf-${pod.name}`, { address: "0.0.0.0", port: PORT });
}

/** The program that carries the managed tunnel, so that the other is the very same; kernel WireGuard has no process. */
async function wireguardOf({ birch }: Pair): Promise<string> {
  const [pid] = await processesIn(firstNode(birch).pid, "wireguard-go");
  const program = pid === undefined ? undefined : readlinkSync(`/proc/${pid}/exe`);
  if (program === undefined || !existsSync(program))
    throw new Error("the tunnel is not wireguard-go's: nothing to compare");
  return program;
}

async function globalOf(broker: Daemon, pod: Pod): Promise<string> {
  const found = (await listAllocations(broker)).find(({ cluster, kind }) => cluster === pod.cluster && kind === "pods");
  if (found === undefined) throw new Error(`${pod.cluster} has no prefix`);
  return swapPrefix(pod.address, POD_CIDR, found.prefix);
}

function compareTcp(
  { managed, hand }: Stage,
  streams: number,
  { quick, signal }: BenchAsk,
): Promise<Pairs<Throughput>> {
  const seconds = quick ? 1 : 5;
  const send = ({ from, address }: Way) => sendTcp(from, address, streams, seconds);
  return interleave({ a: () => send(managed), b: () => send(hand), pairs: quick ? 1 : 6, signal });
}

function compareTrips({ managed, hand }: Stage, { quick, signal }: BenchAsk): Promise<Pairs<number>> {
  const trip = async ({ from, address }: Way) => (await pingPong(from, { address, port: PORT }, quick ? 1 : 3)).p50Us;
  return interleave({ a: () => trip(managed), b: () => trip(hand), pairs: quick ? 1 : 8, signal });
}

function pick<T>({ kept }: Pairs<T>, of: (value: T) => number) {
  return kept.map(({ a, b }) => ({ a: of(a), b: of(b) }));
}
