import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expositionOf, MAX_SERIES } from "./exposition.ts";
import type { Metric, Sample } from "./metric.ts";

function gauge(read: () => readonly Sample[] | Promise<readonly Sample[]>, name = "meridian_test"): Metric {
  return { name, type: "gauge", help: "A test.", labels: ["name"], read };
}

/** series reads exposition text as Prometheus does: one line each, labels quoted, escapes undone. */
function series(text: string): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/.exec(line);
    if (match === null) throw new Error(`not a line of the text format: ${JSON.stringify(line)}`);
    const key = `${match[1]}${match[2] ?? ""}`;
    if (all.has(key)) throw new Error(`the series ${key} is there twice`);
    all.set(key, match[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(match[3]));
  }
  return all;
}

describe("expositionOf()", () => {
  test("writes help, type and value of each metric, as read at that moment", async () => {
    let value = 1;
    const expose = expositionOf([gauge(() => [{ labels: { name: "x" }, value }])]);
    expect(await expose()).toContain(
      '# HELP meridian_test A test.\n# TYPE meridian_test gauge\nmeridian_test{name="x"} 1\n',
    );
    value = 2.5;
    expect(await expose()).toContain('meridian_test{name="x"} 2.5');
  });

  test("writes a histogram that was counted elsewhere", async () => {
    const buckets = [
      { le: 0.0005, count: 1 },
      { le: 1, count: 4 },
    ];
    const metric: Metric = {
      name: "meridian_rtt_seconds",
      type: "histogram",
      help: "A test.",
      labels: ["peer"],
      read: () => [{ labels: { peer: "amber" }, buckets, count: 5, sum: 2.25 }],
    };
    expect([...series(await expositionOf([metric])())].slice(0, 5)).toEqual([
      ['meridian_rtt_seconds_bucket{peer="amber",le="0.0005"}', 1],
      ['meridian_rtt_seconds_bucket{peer="amber",le="1"}', 4],
      ['meridian_rtt_seconds_bucket{peer="amber",le="+Inf"}', 5],
      ['meridian_rtt_seconds_sum{peer="amber"}', 2.25],
      ['meridian_rtt_seconds_count{peer="amber"}', 5],
    ]);
  });

  test("has a line for each series whatever the label values are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 8 }), async (names) => {
        const read = (): readonly Sample[] => names.map((name, value) => ({ labels: { name }, value }));
        const kept = series(await expositionOf([gauge(read)])());
        expect([...kept.keys()].filter((key) => key.startsWith("meridian_test{")).length).toBeLessThanOrEqual(
          names.length,
        );
      }),
    );
  });

  test("keeps a value that tries to be a line of its own inside its quotes", async () => {
    const name = 'x"} 1\nmeridian_fake 1\n# ';
    const text = await expositionOf([gauge(() => [{ labels: { name }, value: 1 }])])();
    expect(text).not.toMatch(/^meridian_fake/m);
    expect([...series(text).keys()].some((key) => key.startsWith("meridian_fake"))).toBe(false);
  });

  test("cuts long values, drops doubles and what is not a number, and says how many it left out", async () => {
    const read = (): readonly Sample[] => [
      { labels: { name: "a".repeat(1000) }, value: 1 },
      { labels: { name: "a".repeat(2000) }, value: 2 },
      { labels: { name: "b" }, value: Number.NaN },
      { labels: { name: "c" }, value: Number.POSITIVE_INFINITY },
    ];
    const kept = series(await expositionOf([gauge(read)])());
    expect(kept.get(`meridian_test{name="${"a".repeat(253)}"}`)).toBe(1);
    expect(kept.get("meridian_metrics_series_left_out_total")).toBe(1);
    expect(kept.size).toBe(3);
  });

  test("bounds the series of a metric", async () => {
    const read = (): readonly Sample[] =>
      Array.from({ length: MAX_SERIES + 7 }, (_, n) => ({ labels: { name: `n${n}` }, value: n }));
    const kept = series(await expositionOf([gauge(read)])());
    expect(kept.size).toBe(MAX_SERIES + 2);
    expect(kept.get("meridian_metrics_series_left_out_total")).toBe(7);
  });

  test("a metric that cannot be read does not take the others with it", async () => {
    const broken = gauge(() => Promise.reject(new Error("nft is not there")), "meridian_broken");
    const kept = series(await expositionOf([broken, gauge(() => [{ labels: {}, value: 1 }])])());
    expect(kept.get("meridian_test")).toBe(1);
    expect(kept.get("meridian_metrics_read_failures_total")).toBe(1);
  });

  test("two expositions share nothing", async () => {
    const both = [1, 2].map((value) => expositionOf([gauge(() => [{ labels: {}, value }])]));
    const texts = await Promise.all(both.map((expose) => expose()));
    expect(texts.map((text) => series(text).get("meridian_test"))).toEqual([1, 2]);
  });
});
