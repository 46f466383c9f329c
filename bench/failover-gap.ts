import {
  addPod,
  carrierOf,
  firstNode,
  loseNode,
  type Pod,
  type Run,
  raiseSiblings,
  reviveGateway,
  type SiblingScene,
  settled,
  startStream,
  UNDERLAY_ADDRESS,
} from "#lab";
import { expect, parseIp } from "#values";
import { type BenchAsk, type Benchmark, type Outcome, ratioRow } from "./benchmark.ts";
import { inRun } from "./in-run.ts";
import { ADVERTS, loseMaster, raiseVrrp } from "./keepalived.ts";
import { interleave } from "./pairs.ts";
import { peerPrograms } from "./peer-programs.ts";
import { millis } from "./units.ts";

/** What the gap may be beside each: keepalived with an advert a second, and ten a second. */
const MOST = [0.1, 1.5] as const;
const STREAM_SECONDS = 3;

/** failoverGap: P15. The gateway that carries a stream dies with its host; the router that carries one loses its cable. */
export const failoverGap: Benchmark = {
  name: "p15",
  title: "P15 failover: the gap in a stream of 1,000 packets a second when what carries it dies",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

async function measure(run: Run, { quick, say, signal }: BenchAsk): Promise<Outcome> {
  const programs = await peerPrograms(["keepalived"], say);
  if (!programs.ok) throw new Error(`SKIPPED, there is nothing to compare with: ${programs.error}`);
  const scene = await raiseSiblings(run, { amber: 2, birch: 1 });
  const client = await addPod(scene.birch.cluster, { name: "client", address: expect(parseIp("10.244.1.20")) });
  await settled(scene);
  const stage = await raiseVrrp(scene.underlay, UNDERLAY_ADDRESS.split(".").slice(0, 3).join("."));
  let port = 9100;
  const { kept, discarded } = await interleave<readonly number[]>({
    a: async () => [await loseCarrier(scene, client, port++)],
    b: () => loseMaster(stage),
    pairs: quick ? 1 : 5,
    warmUps: 0,
    signal,
    say,
  });
  const rows = ADVERTS.map((seconds, at) => {
    const pairs = kept.map(({ a, b }) => ({ a: a[0] ?? Number.NaN, b: b[at] ?? Number.NaN }));
    return ratioRow(`keepalived, an advert every ${seconds} s`, pairs, millis, { most: MOST[at] ?? Number.NaN });
  });
  const notes = discarded === 0 ? [] : [`${discarded} pairs discarded: the machine was taken from us`];
  return { compared: "A: two gateways of the program, all tunnels up; B: two routers by keepalived", rows, notes };
}

/** The hole in the stream of a pod when the gateway that carries it is lost, in milliseconds. It is back afterwards. */
async function loseCarrier(scene: SiblingScene, client: Pod, port: number): Promise<number> {
  const { amber, birch } = scene;
  const stream = await startStream({
    from: client,
    to: amber.pod,
    address: amber.podAddress,
    port,
    seconds: STREAM_SECONDS,
  });
  const number = (await carrierOf(firstNode(birch.cluster), port)) === "mrd0" ? 1 : 2;
  const victim = amber.cluster.members.find((member) => member.number === number) ?? firstNode(amber.cluster);
  await loseNode(scene.underlay, victim);
  const { holeMs } = await stream.end();
  await reviveGateway(scene, amber, number);
  await settled(scene);
  return holeMs;
}
