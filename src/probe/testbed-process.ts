import { createInterface } from "node:readline";
import { silentLog, systemClock, Troubles } from "#life";
import type { Ip } from "#values";
import { createProber, type ProberOptions } from "./prober.ts";
import type { ProbeTarget } from "./report.ts";

/** A prober in a process of its own, for tests and measurements in network namespaces. Run as
 *  `node testbed-process.ts '{"address":"10.9.0.1","port":7946}'`; it takes orders as JSON lines on stdin, writes what
 *  happens as JSON lines on stdout, and ends when stdin ends. */

export type ProberOrder =
  | { readonly kind: "targets"; readonly targets: readonly ProbeTarget[] }
  | { readonly kind: "reports" }
  | {
      readonly kind: "bench";
      readonly ids: readonly string[];
      readonly durationMs: number;
      readonly throughput: boolean;
    };

await main(JSON.parse(process.argv[2] ?? "{}") as { address: Ip; port: number; mode?: "ffi" | "dgram" });

async function main({ address, port, mode = "ffi" }: Pick<ProberOptions, "address" | "port" | "mode">): Promise<void> {
  const life = new AbortController();
  const troubles = new Troubles((trouble, present) => say({ kind: "trouble", present, ...trouble }));
  const random = (): number => 0.5;
  const prober = createProber({ address, port, mode, clock: systemClock, log: silentLog, troubles, random });
  prober.onVerdict((id, up) => say({ kind: "verdict", id, up, at: systemClock.now() }));
  const running = prober.run(life.signal);
  void prober.started.then(() => say({ kind: "started", mode: prober.mode() }));
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as ProberOrder;
    if (order.kind === "targets") prober.setTargets(order.targets);
    if (order.kind === "reports") {
      say({ kind: "reports", reports: prober.reports(), junk: prober.junk(), cpu: process.cpuUsage() });
    }
    if (order.kind === "bench") say({ kind: "bench", result: await prober.bench({ ...order, signal: life.signal }) });
  }
  life.abort();
  await running;
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
