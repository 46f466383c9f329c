import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createBrokerMetrics, createGatewayMetrics } from "#metrics";
import { expect } from "#values";
import { BROKER, GATEWAY } from "../../src/metrics/testbed-readings.ts";
import { raiseLoopback } from "./loopback.ts";
import { ROOT } from "./pages.ts";

/** metricsTable writes a table of the metrics that a daemon serves. Their labels are read off an exposition in which every
 *  metric has a value. */
export function metricsTable(served: string, full: string): string {
  const rows = [...served.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name = "", help = ""]) => {
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, "m").exec(served)?.[1] ?? "";
    return `| \`${name}\` | ${type} | ${labelsOf(full, name)} | ${help} |\n`;
  });
  return `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.sort().join("")}`;
}

/** `le` is no label of the metric: it tells the buckets of a histogram. */
function labelsOf(full: string, name: string): string {
  const line = new RegExp(`^${name}(?:_count)?\\{([^}]*)\\}`, "m").exec(full)?.[1] ?? "";
  const labels = [...line.matchAll(/(\w+)="/g)].map((match) => match[1]).filter((label) => label !== "le");
  return labels.map((label) => `\`${label}\``).join(", ");
}

/** metricsTables asks a running broker and a running gateway. */
export async function metricsTables(): Promise<{ readonly broker: string; readonly gateway: string }> {
  await using scene = await raiseLoopback({});
  const broker = expect(await scene.say("curl -sS http://127.0.0.1:7480/metrics"));
  const gateway = expect(await scene.say("curl -sS http://127.0.0.1:7490/metrics"));
  return {
    broker: metricsTable(broker, await createBrokerMetrics(BROKER)()),
    gateway: metricsTable(gateway, await createGatewayMetrics(GATEWAY)()),
  };
}

// Run by itself, it brings the page up to date.
if (import.meta.main) {
  const path = join(ROOT, "docs/metrics.md");
  const text = readFileSync(path, "utf8");
  const { broker, gateway } = await metricsTables();
  const head = text.slice(0, text.indexOf("## Broker\n"));
  writeFileSync(path, `${head}## Broker\n\n${broker}\n## Gateway\n\n${gateway}`);
}
