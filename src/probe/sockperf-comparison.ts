import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand, systemClock } from "#life";
import { expect as must, parseIp } from "#values";
import type { BenchResult } from "./bench-result.ts";
import { percentile } from "./percentile.ts";
import { ProbeLab } from "./probe-lab.ts";

/** Measures our benchmark beside `sockperf ping-pong --full-rtt` and iperf3, interleaved, through a wireguard-go tunnel
 *  between two namespaces: `node src/probe/sockperf-comparison.ts [pairs] [wireguard-go]`. Needs root and the tools. */

const SECONDS = 1;
const LEFT = "10.99.0.1";
const RIGHT = "10.99.0.2";

await main(Number(process.argv[2] ?? 30), process.argv[3] ?? "wireguard-go");

async function main(pairs: number, wireguardGo: string): Promise<void> {
  const lab = new ProbeLab("cmp");
  const keys = await mkdtemp(join(tmpdir(), "probe-"));
  try {
    await lab.open();
    await tunnel(lab, wireguardGo, keys);
    const [left, right] = await Promise.all([lab.prober(lab.left, LEFT), lab.prober(lab.right, RIGHT)]);
    const up = left.next("verdict");
    left.order({ kind: "targets", targets: [targetOf("b/g", RIGHT, tunnelName(0))] });
    right.order({ kind: "targets", targets: [targetOf("a/g", LEFT, tunnelName(1))] });
    await up;
    lab.keep(lab.right, "sockperf", "server", "-i", RIGHT, "-p", "11111");
    lab.keep(lab.right, "iperf3", "-s", "-B", RIGHT);
    const ours = async (throughput: boolean): Promise<BenchResult> => {
      const answer = left.next("bench");
      left.order({ kind: "bench", ids: ["b/g"], durationMs: SECONDS * 1000, throughput });
      return ((await answer)["result"] as { value: BenchResult[] }).value[0] as BenchResult;
    };
    await latency(lab, pairs, ours);
    await throughput(lab, Math.max(3, Math.round(pairs / 5)), ours);
  } finally {
    await lab.close();
    await rm(keys, { recursive: true });
  }
}

async function latency(lab: ProbeLab, pairs: number, ours: (t: boolean) => Promise<BenchResult>): Promise<void> {
  const rows: [number, number][] = [];
  await ours(false); // warm-up
  for (let i = 0; i < pairs; i += 1) {
    const mine = ((await ours(false)).p50Seconds ?? 0) * 1e6;
    const options = ["-i", RIGHT, "-p", "11111", "-m", "72", "-t", String(SECONDS), "--full-rtt"];
    const said = await lab.inside(lab.left, "sockperf", "ping-pong", ...options);
    rows.push([mine, Number(/percentile 50\.000 =\s+([\d.]+)/.exec(said)?.[1])]);
  }
  show("round trip p50, us", "sockperf", rows);
}

async function throughput(lab: ProbeLab, pairs: number, ours: (t: boolean) => Promise<BenchResult>): Promise<void> {
  const rows: [number, number][] = [];
  for (let i = 0; i < pairs; i += 1) {
    const mine = ((await ours(true)).bitsPerSecond ?? 0) / 1e6;
    const said = await lab.inside(lab.left, "iperf3", "-c", RIGHT, "-t", String(SECONDS), "-J");
    const { end } = JSON.parse(said) as { end: { sum_received: { bits_per_second: number } } };
    rows.push([mine, end.sum_received.bits_per_second / 1e6]);
  }
  show("throughput, Mbit/s", "iperf3", rows);
}

function show(what: string, peer: string, rows: readonly [number, number][]): void {
  const median = (values: number[]): number => percentile(Float64Array.from(values), values.length, 0.5);
  const ratios = rows.map(([a, b]) => a / b);
  const line = {
    what,
    pairs: rows.length,
    ours: median(rows.map(([a]) => a)),
    [peer]: median(rows.map(([, b]) => b)),
    differenceMedian: median(rows.map(([a, b]) => a - b)),
    ratioMedian: median(ratios),
    ratioLeast: Math.min(...ratios),
    ratioMost: Math.max(...ratios),
  };
  process.stdout.write(`${JSON.stringify(line, (_, v) => (typeof v === "number" ? Number(v.toPrecision(4)) : v))}\n`);
}

async function tunnel(lab: ProbeLab, wireguardGo: string, keys: string): Promise<void> {
  const sides = [lab.left, lab.right].map((ns, i) => ({ ns, name: tunnelName(i), ...x25519() }));
  for (const [i, { ns, name, secret }] of sides.entries()) {
    lab.keep(ns, wireguardGo, "-f", name);
    const file = join(keys, name);
    await writeFile(file, secret, { mode: 0o600 });
    for (let tries = 0; !(await has(ns, name)) && tries < 200; tries += 1) await systemClock.sleep(25);
    const other = sides[1 - i] as (typeof sides)[number];
    const [far, under] = i === 0 ? [RIGHT, lab.rightAddress] : [LEFT, lab.leftAddress];
    const peer = ["peer", other.open, "allowed-ips", `${far}/32`, "endpoint", `${under}:51820`];
    await lab.inside(ns, "wg", "set", name, "private-key", file, "listen-port", "51820", ...peer);
    await lab.inside(ns, "ip", "addr", "add", `${i === 0 ? LEFT : RIGHT}/24`, "dev", name);
    await lab.inside(ns, "ip", "link", "set", name, "mtu", "1420", "up");
  }
}

/** has reports whether the tunnel's control socket answers; the interface is there a little before. */
async function has(ns: string, name: string): Promise<boolean> {
  return (await runCommand(["ip", "netns", "exec", ns, "wg", "show", name])).ok;
}

function x25519(): { readonly secret: string; readonly open: string } {
  const { privateKey } = generateKeyPairSync("x25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  return { secret: base64(d), open: base64(x) };
}

function base64(url: string): string {
  return Buffer.from(url, "base64url").toString("base64");
}

/** The control socket is named after the interface, in one folder for all namespaces: so the names differ. */
function tunnelName(side: number): string {
  return `pc${process.pid}${side === 0 ? "l" : "r"}`;
}

function targetOf(id: string, address: string, link: string) {
  return { id, address: must(parseIp(address)), interface: link };
}
