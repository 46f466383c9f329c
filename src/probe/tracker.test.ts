import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paceFor } from "./pace.ts";
import { type Change, Tracker } from "./tracker.ts";

const STILL = (): number => 0.5; // no jitter: every wait is exactly its nominal length

class Ledger {
  readonly lines: string[] = [];
  good(): void {
    this.lines.push("good");
  }
  lost(): void {
    this.lines.push("lost");
  }
  found(): void {
    this.lines.push("found");
  }
}

/** A tracker whose target has answered n probes, each after 1 ms; `now` is when the last echo came. */
function answered(n: number): { tracker: Tracker; ledger: Ledger; now: number; changes: Change[] } {
  const ledger = new Ledger();
  const tracker = new Tracker(0, paceFor(1), STILL, ledger);
  const changes: Change[] = [];
  let now = 0;
  for (let i = 0; i < n; i += 1) {
    now = tracker.nextSend();
    const seq = tracker.sent(now);
    now += 1;
    changes.push(tracker.received(seq, 1) ?? null);
  }
  return { tracker, ledger, now, changes };
}

/** Runs a tracker against a dead path and gives the time of its verdict. */
function blackholed(tracker: Tracker, limit: number): { at: number; sends: number[] } {
  const sends: number[] = [];
  for (;;) {
    const now = tracker.next();
    if (now > limit) return { at: Number.POSITIVE_INFINITY, sends };
    if (tracker.expire(now) === "down") return { at: now, sends };
    if (tracker.nextSend() <= now) {
      tracker.sent(now);
      sends.push(now);
    }
  }
}

describe("up", () => {
  test("a new target is down, and up with its twentieth good probe", () => {
    expect(answered(19).tracker.up).toBe(false);
    const { tracker, changes } = answered(20);
    expect(tracker.up).toBe(true);
    expect(changes.filter((change) => change !== null)).toEqual(["up"]);
  });

  test("a miss on the way begins the count anew", () => {
    const { tracker } = answered(19);
    const lost = tracker.nextSend();
    tracker.sent(lost);
    expect(tracker.expire(lost + 1000)).toBeNull();
    for (let i = 0; i < 19; i += 1) expect(tracker.received(tracker.sent(tracker.nextSend()), 1)).toBeNull();
    expect(tracker.received(tracker.sent(tracker.nextSend()), 1)).toBe("up");
  });
});

describe("down", () => {
  test("eight misses in a row, 15 ms apart after the first, make a verdict in about 130 ms", () => {
    const { tracker, now } = answered(40);
    const { at, sends } = blackholed(tracker, now + 5000);
    const gaps = sends.slice(1).map((sent, i) => Math.round(sent - (sends[i] ?? 0)));
    expect(gaps.slice(0, 7)).toEqual([20, 15, 15, 15, 15, 15, 15]);
    expect(at - (sends[0] ?? 0)).toBeCloseTo(130, 0);
    expect(tracker.up).toBe(false);
  });

  test("an echo among seven misses begins the count anew", () => {
    const { tracker } = answered(40);
    for (let i = 0; i < 7; i += 1) {
      const now = tracker.nextSend();
      tracker.sent(now);
      expect(tracker.expire(now + 20)).toBeNull();
    }
    tracker.received(tracker.sent(tracker.nextSend()), 1);
    for (let i = 0; i < 7; i += 1) {
      const now = tracker.nextSend();
      tracker.sent(now);
      expect(tracker.expire(now + 20)).toBeNull();
    }
    expect(tracker.up).toBe(true);
  });

  test("the verdict is said once, and a target that is down is probed every 50 ms again", () => {
    const { tracker, now } = answered(40);
    const { at } = blackholed(tracker, now + 5000);
    expect(blackholed(tracker, at + 2000).at).toBe(Number.POSITIVE_INFINITY);
    const { sends } = blackholed(tracker, at + 4000);
    const gaps = sends.slice(5, 10).map((sent, i) => Math.round(sent - (sends[i + 4] ?? 0)));
    expect(gaps).toEqual([50, 50, 50, 50, 50]);
  });

  test("a path of 100 ms is not taken for dead", () => {
    const tracker = new Tracker(0, paceFor(1), STILL, new Ledger());
    const onTheWay: { seq: number; at: number }[] = [];
    const verdicts: Change[] = [];
    for (let now = 0; now < 5000; now += 1) {
      while ((onTheWay[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
        verdicts.push(tracker.received(onTheWay.shift()?.seq ?? 0, 100) ?? null);
      }
      verdicts.push(tracker.expire(now));
      if (tracker.nextSend() <= now) onTheWay.push({ seq: tracker.sent(now), at: now + 100 });
    }
    expect(verdicts.filter((verdict) => verdict !== null)).toEqual(["up"]);
  });
});

describe("echoes", () => {
  test("received() ignores a second echo, one of the future, and one too old to be known", () => {
    const { tracker } = answered(300);
    expect(tracker.received(299, 1)).toBeUndefined();
    expect(tracker.received(300, 1)).toBeUndefined();
    expect(tracker.received(0, 1)).toBeUndefined();
    expect(tracker.receivedCount).toBe(300);
  });

  test("received() of a missed probe takes the loss back", () => {
    const { tracker, ledger } = answered(1);
    const now = tracker.nextSend();
    const seq = tracker.sent(now);
    tracker.expire(now + 1000);
    expect(tracker.received(seq, 1001)).toBeNull();
    expect(ledger.lines).toEqual(["good", "lost", "found"]);
  });

  test("received() measures nothing where the round trip is not known", () => {
    const tracker = new Tracker(0, paceFor(1), STILL, new Ledger());
    tracker.received(tracker.sent(25), null);
    expect(tracker.roundTrip.meanMs).toBeNull();
    expect(tracker.receivedCount).toBe(1);
  });
});

describe("late", () => {
  test("probes that wait while this machine does not run count neither way", () => {
    const { tracker, ledger, now } = answered(40);
    for (let i = 0; i < 10; i += 1) tracker.sent(now + i);
    tracker.late();
    expect(tracker.expire(now + 60_000)).toBeNull();
    expect(tracker.up).toBe(true);
    expect(ledger.lines).not.toContain("lost");
  });

  test("an echo of such a probe still counts as good", () => {
    const { tracker, now } = answered(40);
    const seq = tracker.sent(now);
    tracker.late();
    expect(tracker.received(seq, null)).toBeNull();
    expect(tracker.receivedCount).toBe(41);
  });
});

describe("schedule", () => {
  test("sent() keeps the rate when it is called a little late, and does not catch up after a long pause", () => {
    const tracker = new Tracker(0, paceFor(1), STILL, new Ledger());
    expect(tracker.nextSend()).toBe(25);
    tracker.sent(30);
    expect(tracker.nextSend()).toBe(75);
    tracker.sent(10_000);
    expect(tracker.nextSend()).toBe(10_025);
  });

  test("waits are jittered by a tenth either way", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (r) => {
        const tracker = new Tracker(0, paceFor(1), () => r, new Ledger());
        const first = tracker.nextSend();
        tracker.sent(first);
        expect(tracker.nextSend() - first).toBeGreaterThanOrEqual(45 - 1e-9);
        expect(tracker.nextSend() - first).toBeLessThanOrEqual(55 + 1e-9);
      }),
    );
  });

  test("any order of sends, echoes, pauses and deadlines leaves sound counts", () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("send", "echo", "expire", "late"), fc.nat(400)), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const ledger = new Ledger();
        const tracker = new Tracker(0, paceFor(1), STILL, ledger);
        let now = 0;
        for (const [step, number] of list) {
          now += number / 10;
          if (step === "send") tracker.sent(now);
          if (step === "echo") tracker.received(number, 1);
          if (step === "expire") tracker.expire(now);
          if (step === "late") tracker.late();
        }
        const count = (line: string): number => ledger.lines.filter((l) => l === line).length;
        expect(tracker.receivedCount).toBe(count("good") + count("found"));
        expect(count("good") + count("lost")).toBeLessThanOrEqual(tracker.sentCount);
        expect(tracker.next()).toBeLessThanOrEqual(tracker.nextSend());
      }),
    );
  });
});
