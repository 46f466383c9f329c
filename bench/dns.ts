import type { BenchAsk, Benchmark, Outcome } from "./benchmark.ts";
import { absences, agree } from "./dns-agree.ts";
import { DnsBench } from "./dns-bench.ts";
import { cost } from "./dns-cost.ts";
import { latency } from "./dns-latency.ts";
import { size } from "./dns-size.ts";
import { DnsStand } from "./dns-stand.ts";
import { start } from "./dns-start.ts";
import { throughput } from "./dns-throughput.ts";
import { updates } from "./dns-updates.ts";

type Part = (bench: DnsBench) => Promise<Omit<Outcome, "compared">>;

const PARTS: Readonly<Record<string, Part>> = {
  ...{ p1: throughput, p2: cost, p3: latency, p4: size, p5: updates, p19: start },
};

/** dns: P1 to P5 and P19 in one table. */
export const dns: Benchmark = {
  name: "dns",
  title: "Names: P1 to P5 and P19, our responder beside CoreDNS, NSD and dns2",
  run: (ask) => measure(Object.values(PARTS), ask),
};

/** DNS_PARTS are its parts, each to be run alone by its name. */
export const DNS_PARTS: readonly Benchmark[] = Object.entries(PARTS).map(([name, part]) => ({
  ...{ name, title: `Names: ${name.toUpperCase()} alone` },
  run: (ask) => measure([part], ask),
}));

async function measure(parts: readonly Part[], ask: BenchAsk): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const stand = await DnsStand.open(ask, stack);
  const bench = new DnsBench(stand, ask);
  const agreed = await agree(bench);
  const outcomes: Omit<Outcome, "compared">[] = [];
  for (const part of parts) outcomes.push(await part(bench));
  return {
    compared: `one server on CPU 0, the generator on CPU 1, UDP over loopback, ${bench.services} services unless said otherwise; ${agreed}`,
    rows: outcomes.flatMap(({ rows }) => rows),
    notes: [...absences(stand.absent), ...outcomes.flatMap(({ notes }) => notes)],
  };
}
