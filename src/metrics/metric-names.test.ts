import { describe, expect, test } from "vitest";
import { brokerMetrics } from "./broker-metrics.ts";
import { gatewayMetrics } from "./gateway-metrics.ts";
import { BROKER, GATEWAY } from "./testbed-readings.ts";

/** The rules of promlint (prometheus/util/promlint) and of Prometheus' page on naming. */

const lists = [
  ["gateway", gatewayMetrics(GATEWAY)],
  ["broker", brokerMetrics(BROKER)],
] as const;
const all = lists.flatMap(([, metrics]) => metrics);

describe.each(lists)("metrics of the %s", (_, metrics) => {
  test("have each name once", () => {
    const names = metrics.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  test("have a value for every label and no other label", async () => {
    for (const { name, labels, read } of metrics) {
      const series = await read();
      expect([name, series.length > 0]).toEqual([name, true]);
      for (const one of series) expect([name, Object.keys(one.labels).sort()]).toEqual([name, [...labels].sort()]);
    }
  });
});

describe("a metric's name", () => {
  test.each(all.map((metric) => [metric.name, metric] as const))(
    "%s keeps the rules",
    (name, { type, help, labels }) => {
      expect(name).toMatch(/^meridian(_[a-z][a-z0-9]*)+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(name).not.toMatch(
        /_(count|sum|bucket|gauge|counter|histogram|ms|milliseconds|minutes|percent|kilobytes)(_|$)/,
      );
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
      for (const label of labels) {
        expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
        expect(["le", "quantile", "job", "instance"]).not.toContain(label);
      }
    },
  );

  test("means the same wherever it is", () => {
    for (const metric of all) {
      const same = all.filter(({ name }) => name === metric.name);
      expect(new Set(same.map(({ type, labels }) => `${type} ${labels.join()}`)).size).toBe(1);
    }
  });
});
