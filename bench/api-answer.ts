import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Live, loadLive } from "#kube";
import {
  type ControlPlane,
  findCoreDns,
  findKubeTools,
  freePort,
  type KubeClient,
  kubeClient,
  startControlPlane,
} from "#lab";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { spread } from "./stats.ts";
import { millis } from "./units.ts";
import { holds, untilAnswered } from "./until-answered.ts";

const BIN = fileURLToPath(new URL("../bin/meridian", import.meta.url));
const IMPORTS = 1000;
const CHANGES = 20;
const NAMESPACE = "bench";

/** apiAnswer: P20. From before a ServiceImport is written to the API server until the right answer, by `meridian dns` and
 *  by CoreDNS's `kubernetes … { multicluster }`, both at the same write. */
export const apiAnswer: Benchmark = {
  name: "p20",
  title: "P20 a write to the API server, until it is answered",
  run: async (ask) => {
    const tools = await findKubeTools();
    if (!tools.ok) throw new Error(tools.error);
    const coredns = await findCoreDns(ask.say);
    if (!coredns.ok) throw new Error(coredns.error);
    const plane = await startControlPlane({ tools: tools.value });
    const children: ChildProcess[] = [];
    try {
      return await measure({ plane, children, coredns: coredns.value, live: await loadLive() }, ask);
    } finally {
      for (const child of children) await end(child);
      await plane.down();
    }
  },
};

interface Stand {
  readonly plane: ControlPlane;
  readonly children: ChildProcess[];
  readonly coredns: string;
  readonly live: Live;
}

async function measure(stand: Stand, ask: BenchAsk): Promise<Outcome> {
  const { plane, live } = stand;
  const user = await kubeClient(plane.kubeconfig);
  await user.installCrds();
  await user.create(live.RESOURCES.namespaces, { metadata: { name: NAMESPACE } });
  const imports = ask.quick ? 20 : IMPORTS;
  ask.say(`writing ${imports} imports`);
  for (let at = 0; at < imports; at += 1) await writeImport(user, live, at, addressOf(at, 0));
  const ports = { ours: await freePort(), theirs: await freePort() };
  startBoth(stand, ports);
  const both = (at: number, address: string) =>
    Promise.all([ports.ours, ports.theirs].map((port) => untilAnswered(port, nameOf(at), holds(address))));
  await both(imports - 1, addressOf(imports - 1, 0));
  const pairs: { readonly a: number; readonly b: number }[] = [];
  for (let round = 1; round <= (ask.quick ? 3 : CHANGES); round += 1) {
    ask.signal.throwIfAborted();
    await sleep(200);
    const at = (round * 37) % imports;
    const answered = both(at, addressOf(at, round));
    await writeImport(user, live, at, addressOf(at, round));
    const [a = 0, b = 0] = await answered;
    pairs.push({ a, b });
  }
  const own: Row = {
    ...{
      what: "slowest of ours",
      a: millis(Math.max(...pairs.map(({ a }) => a))),
      b: millis(Math.max(...pairs.map(({ b }) => b))),
    },
    ...{ ratio: spread([]), target: "<= 15 ms", holds: Math.max(...pairs.map(({ a }) => a)) <= 15 },
  };
  return {
    compared: `A: meridian dns --kubeconfig, B: CoreDNS kubernetes { multicluster }; ${imports} imports, ${pairs.length} changes`,
    rows: [ratioRow("API write until the right answer", pairs, millis, { most: 1 }), own],
    notes: ["both hear of the same write, and are asked four times a millisecond"],
  };
}

function startBoth(
  { plane, children, coredns }: Stand,
  { ours, theirs }: { readonly ours: number; readonly theirs: number },
): void {
  const corefile = join(plane.folder, "Corefile");
  writeFileSync(
    corefile,
    `.:${theirs} {\n  bind 127.0.0.1\n  errors\n  kubernetes clusterset.local {\n    kubeconfig ${plane.kubeconfig} lab\n    multicluster clusterset.local\n  }\n}\n`,
  );
  const quiet = { stdio: "ignore" } as const;
  children.push(spawn(BIN, ["dns", "--kubeconfig", plane.kubeconfig, "--dns", `127.0.0.1:${ours}`], quiet));
  children.push(spawn(coredns, ["-conf", corefile], quiet));
}

async function writeImport(user: KubeClient, { RESOURCES }: Live, at: number, address: string): Promise<void> {
  await user.apply(RESOURCES.serviceImports, {
    metadata: { name: `web-${at}`, namespace: NAMESPACE },
    spec: { type: "ClusterSetIP", ips: [address], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  });
}

function nameOf(at: number): string {
  return `web-${at}.${NAMESPACE}.svc.clusterset.local`;
}

function addressOf(at: number, round: number): string {
  return `10.${100 + round}.${at >> 8}.${at & 255}`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
