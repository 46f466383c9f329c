import type { Globalnet } from "#globalnet";
import { type Job, linesOf, type Place, type Run, waitForLine } from "#lab";
import { describeFault } from "#life";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { startAccepting, timeConnects } from "./connects.ts";
import { globalnetIn, PLAN, serviceAddress, serviceEntries } from "./globalnet-in.ts";
import { inRun } from "./in-run.ts";
import { hasProgram } from "./peer-programs.ts";
import { median, percentile, spread } from "./stats.ts";
import { micros, millis } from "./units.ts";
import { PEER_ADDRESS, raiseWirePair } from "./wire-pair.ts";

const SIZES = [1, 100, 1000, 10_000] as const;
const CONNECTS = 2000;
/** Services that are connected to in turn, spread over all. */
const TARGETS = 100;
const CHANGES = 20;
const MOST_CHANGE_MS = 10;
const SHARE_CONNECTS = 10_000;
const MOST_SHARE_OFF = 0.02;
/** Endpoints of the share test with their weights: ports of one peer, so that the server can tell them apart. */
const WEIGHTS: ReadonlyMap<number, number> = new Map([
  [8081, 1],
  [8082, 1],
  [8083, 2],
  [8084, 4],
]);
const PORT = 8080;

/** serviceTable: P22. A client behind a node whose service table holds 1 to 10,000 services. */
export const serviceTable: Benchmark = {
  name: "p22",
  title: "P22 service table: 1 to 10,000 services",
  run: (ask) => inRun((run) => measure(run, ask), ask.signal),
};

interface Stage {
  readonly client: Place;
  readonly globalnet: Globalnet;
  readonly server: Job;
}

async function measure(run: Run, ask: BenchAsk): Promise<Outcome> {
  const { pods: client, node, peer } = await raiseWirePair(run, "p22");
  const server = await startAccepting(peer, "accepting", [PORT, ...WEIGHTS.keys()]);
  const stage: Stage = { client, globalnet: globalnetIn(node), server };
  const connects = await compareSizes(stage, ask);
  const change = await timeChanges(stage, ask);
  const share = await measureShares(stage, ask);
  const proxy = (await hasProgram("kube-proxy"))
    ? "kube-proxy is here, but is not compared yet: its rules need an API server"
    : "skipped: kube-proxy in nftables mode beside it (there is no kube-proxy on this machine: put the binary of a Kubernetes release on the PATH)";
  return {
    compared: "connect(2) through a node, blocking, client on CPU 1, server on CPU 0; A: n services, B: 1 service",
    rows: [...connects, change.row, share.row],
    notes: [...change.notes, ...share.notes, proxy],
  };
}

/** All sizes in each round, so that a slow drift of the machine meets all alike. The first round is thrown away. */
async function compareSizes(stage: Stage, { quick, say, signal }: BenchAsk): Promise<readonly Row[]> {
  const rounds: ReadonlyMap<number, number>[] = [];
  for (let round = 0; round <= (quick ? 1 : 6); round++) {
    signal.throwIfAborted();
    const times = new Map<number, number>();
    for (const size of SIZES) times.set(size, await connectAt(stage, size, quick));
    if (round > 0) rounds.push(times);
    say(`round ${round}: ${[...times].map(([size, us]) => `${size}: ${micros(us)}`).join(", ")}`);
  }
  return SIZES.slice(1).map((size) => {
    const pairs = rounds.map((times) => ({ a: times.get(size) ?? Number.NaN, b: times.get(1) ?? Number.NaN }));
    return ratioRow(
      `connect, ${size.toLocaleString("en")} services`,
      pairs,
      micros,
      size === 10_000 ? { most: 1.05 } : {},
    );
  });
}

async function connectAt({ client, globalnet }: Stage, size: number, quick: boolean): Promise<number> {
  await make(globalnet, serviceEntries(size, [{ address: PEER_ADDRESS, port: PORT }]));
  const step = Math.max(1, Math.floor(size / TARGETS));
  const targets = Array.from({ length: Math.min(size, TARGETS) }, (_, i) => {
    return { address: serviceAddress(size - 1 - i * step), port: 80 };
  });
  const count = quick ? 200 : CONNECTS;
  return (await timeConnects(client, { targets, count, warmUp: 200 })).p50Us;
}

/** One service of 10,000 gets another endpoint: from the call of our room until the kernel has it. */
async function timeChanges({ globalnet }: Stage, { quick }: BenchAsk): Promise<{ row: Row; notes: readonly string[] }> {
  const services = serviceEntries(10_000, [{ address: PEER_ADDRESS, port: PORT }]);
  await make(globalnet, services);
  const spans: number[] = [];
  const changes = quick ? 3 : CHANGES;
  for (let i = -2; i < changes; i++) {
    const [key, entry] = [...services][(i + 2) * 7] ?? [];
    const [other] = serviceEntries(1, [{ address: PEER_ADDRESS, port: 9000 + i }]).values();
    if (key === undefined || entry === undefined || other === undefined) throw new Error("there is no such service");
    services.set(key, { ...entry, backends: other.backends });
    const start = performance.now();
    await make(globalnet, services);
    if (i >= 0) spans.push(performance.now() - start);
  }
  const at = median(spans);
  const row: Row = {
    ...{ what: "one change among 10,000 applied", a: millis(at), b: "", ratio: spread([]) },
    ...{ target: `<= ${MOST_CHANGE_MS} ms`, holds: at <= MOST_CHANGE_MS },
  };
  return {
    row,
    notes: [`one change: median ${millis(at)}, p90 ${millis(percentile(spans, 0.9))}, ${changes} of them`],
  };
}

/** The server counts what came to each endpoint; the share is to be that of its weight. */
async function measureShares({ client, globalnet, server }: Stage, { quick }: BenchAsk) {
  const backends = [...WEIGHTS].map(([port, weight]) => ({ address: PEER_ADDRESS, port, weight }));
  await make(globalnet, serviceEntries(1, backends));
  const count = quick ? 1000 : SHARE_CONNECTS;
  await timeConnects(client, { targets: [{ address: serviceAddress(0), port: 80 }], count, warmUp: 0 });
  const known = (await linesOf(server)).length;
  process.kill(server.pid, "SIGUSR2");
  await waitForLine(server, (line) => line.startsWith("{"));
  const counts = JSON.parse((await linesOf(server))[known] ?? "{}") as Record<string, number>;
  const total = [...WEIGHTS.keys()].reduce((sum, port) => sum + (counts[port] ?? 0), 0);
  const weights = [...WEIGHTS.values()].reduce((sum, weight) => sum + weight, 0);
  const shares = [...WEIGHTS].map(([port, weight]) => ({ got: (counts[port] ?? 0) / total, want: weight / weights }));
  const off = Math.max(...shares.map(({ got, want }) => Math.abs(got - want)));
  const row: Row = {
    ...{ what: `share of ${count.toLocaleString("en")} connections`, a: `off by ${(off * 100).toFixed(2)} %`, b: "" },
    ...{ ratio: spread([]), target: "<= 2 %", holds: off <= MOST_SHARE_OFF },
  };
  const percent = (value: number): string => (value * 100).toFixed(2);
  const text = shares.map(({ got, want }) => `${percent(got)} % of ${percent(want)} %`).join(", ");
  return { row, notes: [`shares by weight: ${text}; ${total} accepted`] };
}

async function make(globalnet: Globalnet, services: ReturnType<typeof serviceEntries>): Promise<void> {
  const done = await globalnet.reconcile({ plan: PLAN, services });
  if (!done.ok) throw new Error(describeFault(done.error));
}
