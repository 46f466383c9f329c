import { describe, expect, test } from "vitest";
import { metricsTable, metricsTables } from "./metrics-table.ts";
import { page } from "./pages.ts";

describe("metricsTable()", () => {
  test("has a row for each metric that is served, with labels read off a full exposition", () => {
    const served = "# HELP up_seconds How long.\n# TYPE up_seconds gauge\n";
    const full = 'up_seconds{peer="birch",gateway="gw-1"} 1\n';
    expect(metricsTable(served, full).split("\n")[2]).toBe("| `up_seconds` | gauge | `peer`, `gateway` | How long. |");
  });

  test("does not take the bounds of buckets for a label", () => {
    const text = "# HELP rtt Time.\n# TYPE rtt histogram\n";
    expect(metricsTable(text, 'rtt_bucket{le="1",peer="x"} 1\nrtt_count{peer="x"} 1\n')).toContain(
      "| `peer` | Time. |",
    );
  });
});

describe("docs/metrics.md", () => {
  test("has every metric that broker and gateway serve, and no other (test/docs/metrics-table.ts writes it)", async () => {
    const { broker, gateway } = await metricsTables();
    expect(page("docs/metrics.md").text.split("## Broker\n\n")[1]).toBe(`${broker}\n## Gateway\n\n${gateway}`);
  }, 60_000);
});
