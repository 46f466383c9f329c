import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Severity, Trouble } from "#life";
import { one, tally } from "./metric.ts";
import { buildInfo, loopDelay, troubleCounts } from "./process-metrics.ts";

describe("one()", () => {
  test("is one series, or none while the value is not known", () => {
    expect(one(0)).toEqual([{ labels: {}, value: 0 }]);
    expect(one(null)).toEqual([]);
  });
});

describe("tally()", () => {
  const names = ["a", "b", "c"] as const;

  test("counts every item once, under every name", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names)), (items) => {
        const samples = tally("name", items, names);
        expect(samples.map(({ labels }) => labels["name"])).toEqual([...names]);
        expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(items.length);
        for (const { labels, value } of samples) expect(value).toBe(items.filter((of) => of === labels["name"]).length);
      }),
    );
  });
});

describe("troubleCounts()", () => {
  const trouble = (code: string, severity: Severity, subject: string): Trouble => {
    return { code, severity, subject, title: "t", detail: "d" };
  };

  test("counts by code and severity; subjects, of which there may be any number, are no labels", async () => {
    const subjects = Array.from({ length: 5000 }, (_, n) => `file-${n}`);
    const present = [
      ...subjects.map((of) => trouble("manifest-broken", "warning", of)),
      trouble("broker-away", "critical", ""),
    ];
    expect(await troubleCounts(() => present).read()).toEqual([
      { labels: { code: "manifest-broken", severity: "warning" }, value: 5000 },
      { labels: { code: "broker-away", severity: "critical" }, value: 1 },
    ]);
  });

  test("has no series while nothing is wrong", async () => {
    expect(await troubleCounts(() => []).read()).toEqual([]);
  });
});

describe("buildInfo() and loopDelay()", () => {
  test("say which version runs, and how late its loop was", async () => {
    expect(await buildInfo("1.2.3").read()).toEqual([{ labels: { version: "1.2.3" }, value: 1 }]);
    const metrics = loopDelay(() => ({ p99Seconds: 0.002, maxSeconds: 0.03 }));
    expect(await Promise.all(metrics.map(({ read }) => read()))).toEqual([
      [{ labels: {}, value: 0.002 }],
      [{ labels: {}, value: 0.03 }],
    ]);
  });
});
