import { describe, expect, test } from "vitest";
import { LossWindow } from "./loss-window.ts";
import { paceFor } from "./pace.ts";
import { percentile } from "./percentile.ts";
import { randomFrom } from "./random-from.ts";
import { Tracker } from "./tracker.ts";

/** Simulates one tunnel of 1 ms round trip, losing a share of packets each way and everything from `cutAt` on, and gives
 *  the times of its verdicts. Events are processed at the millisecond, as the thread wakes. */
function simulate(tracker: Tracker, chance: () => number, loss: number, until: number, cutAt = until): Verdict[] {
  const verdicts: Verdict[] = [];
  let echo: number | null = null;
  let now = 0;
  const note = (change: "up" | "down" | null | undefined): void => {
    if (change === "up" || change === "down") verdicts.push({ at: now, change });
  };
  for (now = tracker.next(); now < until; now = echo === null ? tracker.next() : now + 1) {
    if (echo !== null) note(tracker.received(echo, 1));
    echo = null;
    note(tracker.expire(now));
    if (tracker.nextSend() > now) continue;
    const seq = tracker.sent(now);
    if (now < cutAt && chance() >= loss && chance() >= loss) echo = seq;
  }
  return verdicts;
}

interface Verdict {
  readonly at: number;
  readonly change: "up" | "down";
}

const MINUTE = 60_000;

describe("simulated time", () => {
  test.each([1, 2])("one packet in 20 lost each way, 10 minutes, 100 tunnels: no false down (seed %i)", (seed) => {
    let downs = 0;
    let lossSum = 0;
    for (let tunnel = 0; tunnel < 100; tunnel += 1) {
      const chance = randomFrom((seed * 1000 + tunnel) / 2 ** 20);
      const window = new LossWindow();
      const verdicts = simulate(new Tracker(0, paceFor(100), chance, window), chance, 0.05, 10 * MINUTE);
      expect(verdicts[0]?.change).toBe("up");
      downs += verdicts.filter(({ change }) => change === "down").length;
      lossSum += window.ratio(10 * MINUTE);
    }
    expect(downs).toBe(0);
    expect(lossSum / 100).toBeCloseTo(0.0975, 1); // 1 - 0.95²
  });

  test("a blackhole is seen within 200 ms in the median, and always within 300 ms", () => {
    const spans = new Float64Array(1000);
    for (let i = 0; i < spans.length; i += 1) {
      const chance = randomFrom((i + 1) / 4096);
      const cutAt = 10_000 + chance() * 50;
      const verdicts = simulate(new Tracker(0, paceFor(100), chance, new LossWindow()), chance, 0, 20_000, cutAt);
      expect(verdicts.map(({ change }) => change)).toEqual(["up", "down"]);
      spans[i] = (verdicts[1]?.at ?? Number.POSITIVE_INFINITY) - cutAt;
    }
    expect(percentile(spans, spans.length, 0.5)).toBeLessThanOrEqual(200);
    expect(percentile(spans, spans.length, 1)).toBeLessThanOrEqual(300);
  });

  test("with 5 % loss each way a tunnel still comes up within a few seconds", () => {
    for (let i = 0; i < 50; i += 1) {
      const chance = randomFrom((i + 7) / 512);
      const verdicts = simulate(new Tracker(0, paceFor(1), chance, new LossWindow()), chance, 0.05, 30_000);
      expect(verdicts[0]?.change).toBe("up");
    }
  });
});
