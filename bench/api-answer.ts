import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Live, loadLive } from "#kube";
import { type ControlPlane, findKubeTools, freePort, type KubeClient, kubeClient, startControlPlane } from "#lab";
import { type BenchAsk, type Benchmark, type Outcome, type Row, ratioRow } from "./benchmark.ts";
import { findCoreDns } from "./coredns.ts";
import { spread } from "./stats.ts";
import { millis } from "./units.ts";

const BIN = fileURLToPath(new URL("../bin/meridian", import.meta.url));
const IMPORTS = 1000;
const CHANGES = 20;
const NAMESPACE = "bench";
/** How often each is asked until its answer is right. */
const EVERY_MS = 1;
const LATE_MS = 10_000;

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
  const last = { name: nameOf(imports - 1), address: addressOf(imports - 1, 0), since: performance.now() };
  await Promise.all([answered(ports.ours, last), answered(ports.theirs, last)]);
  const pairs: { readonly a: number; readonly b: number }[] = [];
  for (let round = 1; round <= (ask.quick ? 3 : CHANGES); round += 1) {
    ask.signal.throwIfAborted();
    await sleep(200);
    const at = (round * 37) % imports;
    const change = { name: nameOf(at), address: addressOf(at, round), since: performance.now() };
    const both = Promise.all([answered(ports.ours, change), answered(ports.theirs, change)]);
    await writeImport(user, live, at, change.address);
    const [a, b] = await both;
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
    notes: ["both hear of the same write, and are asked every millisecond"],
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

/** answered resolves with the milliseconds from `since` until the answer has an address. */
async function answered(
  port: number,
  { name, address, since }: { readonly name: string; readonly address: string; readonly since: number },
): Promise<number> {
  const socket = createSocket("udp4");
  let lastSeen = "silence";
  const wanted = Buffer.from(address.split(".").map(Number));
  const question = questionFor(name);
  const right = new Promise<number>((resolve) => {
    socket.on("message", (message) => {
      lastSeen = message.toString("hex");
      if (message.subarray(-4).equals(wanted) || message.includes(wanted)) resolve(performance.now() - since);
    });
    socket.on("error", () => {});
  });
  const timer = setInterval(() => socket.send(question, port, "127.0.0.1"), EVERY_MS);
  try {
    const late = sleep(LATE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${name} is not answered with ${address} at port ${port}: ${lastSeen}`);
    });
    return await Promise.race([right, late]);
  } finally {
    clearInterval(timer);
    socket.close();
  }
}

/** A question for an A record (RFC 1035, 4.1). */
function questionFor(name: string): Buffer {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
