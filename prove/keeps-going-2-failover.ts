import {
  addPod,
  carrierOf,
  type Daemon,
  type Downloaded,
  endOf,
  firstNode,
  loseNode,
  POD_HTTP_PORT,
  type Pod,
  type Run,
  raiseSiblings,
  reviveGateway,
  type SiblingScene,
  type Streamed,
  settled,
  startDownload,
  startGateway,
  startStream,
  verb,
  waitForLine,
} from "#lab";
import { expect, parseIp } from "#values";
import { inRun, median } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";

const RUNS = 20;
const MEDIAN_MS = 200;
const MOST_MS = 300;

/** keeps2: the host of the gateway that carries a stream is lost, each in turn; it comes back; then one drains. */
export const keeps2: Line = {
  title: "A gateway dies with its host",
  required: `hole in 1 kHz UDP ≤ ${MEDIAN_MS} ms at the median, ≤ ${MOST_MS} ms in ${RUNS} of ${RUNS}; transfers go on; return and drain lose nothing`,
  run: (say, signal) => inRun((run) => proveFailover(run, RUNS, say), signal),
};

/** Loss is one run: what the death cost each way, what the return cost, and whether the transfers are whole. */
interface Loss {
  readonly victim: string;
  readonly there: Streamed;
  readonly back: Streamed;
  readonly returned: Streamed;
  readonly whole: boolean;
}

/** proveFailover loses a gateway's host so many times. */
export async function proveFailover(run: Run, runs: number, say: (text: string) => void): Promise<Proof> {
  const scene = await raiseSiblings(run, { amber: 2, birch: 1 });
  const client = await addPod(scene.birch.cluster, { name: "client", address: expect(parseIp("10.244.1.20")) });
  await settled(scene);
  const losses: Loss[] = [];
  for (let i = 0; i < runs; i += 1) {
    const loss = await loseOnce(scene, client, 9100 + 10 * i);
    say(
      `${i + 1}: ${loss.victim} lost, hole ${loss.there.holeMs} ms there, ${loss.back.holeMs} ms back, return lost ${loss.returned.lost}`,
    );
    losses.push(loss);
  }
  return judge(losses, await drainOnce(scene, client));
}

async function loseOnce(scene: SiblingScene, client: Pod, port: number): Promise<Loss> {
  const { amber, birch } = scene;
  const urls = [`db.shop.svc.clusterset.local:${POD_HTTP_PORT}`, "web.shop.svc.clusterset.local"];
  const transfers = await Promise.all(
    urls.map((url, i) => startDownload(client, `transfer-${port}-${i}`, `http://${url}/download?seconds=9`)),
  );
  await Promise.all(transfers.map((job) => waitForLine(job, (line) => line.includes("started"))));
  const there = { from: client, to: amber.pod, address: amber.podAddress };
  const first = await startStream({ ...there, port, seconds: 3 });
  const reverse = await startStream({ from: amber.pod, to: birch.pod, address: birch.podAddress, port, seconds: 3 });
  const number = (await carrierOf(firstNode(birch.cluster), port)) === "mrd0" ? 1 : 2;
  const victim = amber.cluster.members.find((member) => member.number === number) ?? firstNode(amber.cluster);
  await loseNode(scene.underlay, victim);
  const [hole, back] = [await first.end(), await reverse.end()];
  const whole = await startStream({ ...there, port: port + 1, seconds: 5 });
  await reviveGateway(scene, amber, number);
  await settled(scene);
  const returned = await whole.end();
  const ends = await Promise.all(transfers.map((job) => waitForLine(job, (line) => line.includes("done"), 30_000)));
  const good = ends.every((line) => (JSON.parse(line) as Downloaded).good);
  return { victim: victim.name, there: hole, back, returned, whole: good };
}

interface Drained {
  readonly streamed: Streamed;
  readonly code: number | null;
  readonly said: string;
}

async function drainOnce(scene: SiblingScene, client: Pod): Promise<Drained> {
  const { amber, birch } = scene;
  const stream = await startStream({ from: client, to: amber.pod, address: amber.podAddress, port: 9090, seconds: 15 });
  const number = (await carrierOf(firstNode(birch.cluster), 9090)) === "mrd0" ? 1 : 2;
  const daemon = amber.gateways[number - 1] as Daemon;
  const said = expect(await verb(daemon, ["drain", "--timeout", "5s"], { timeoutMs: 30_000 }));
  const code = await endOf(daemon.job);
  const streamed = await stream.end();
  amber.gateways[number - 1] = await startGateway(amber.cluster, { node: number });
  return { streamed, code, said: said.trim() };
}

function judge(losses: readonly Loss[], { streamed, code, said }: Drained): Proof {
  const holes = losses.map(({ there }) => there.holeMs);
  const backs = losses.map(({ back }) => back.holeMs).filter((ms) => ms > 0); // the others went by the sibling
  const [mid, most] = [Math.round(median(holes)), Math.max(...holes)];
  const returned = losses.reduce((sum, loss) => sum + loss.returned.lost, 0);
  const whole = losses.filter((loss) => loss.whole).length;
  const holds =
    mid <= MEDIAN_MS &&
    most <= MOST_MS &&
    returned === 0 &&
    whole === losses.length &&
    streamed.lost === 0 &&
    code === 0;
  return {
    measured: `hole ${mid} ms at the median, ${most} ms at most in ${losses.length}; returns lost ${returned}, drain ${streamed.lost}; ${whole} of ${losses.length} transfers whole`,
    holds,
    details: [
      `each hole: ${holes.join(", ")} ms`,
      `the other way, through a plain node's group made by hand, ${backs.length} times by the victim: ${Math.round(median(backs))} ms at the median, ${Math.max(0, ...backs)} ms at most`,
      `drain said: ${said}; exit ${code}`,
    ],
  };
}
