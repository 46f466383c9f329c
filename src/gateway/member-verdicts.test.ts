import { describe, expect, test } from "vitest";
import type { ClusterId, Millis } from "#values";
import { MemberVerdicts } from "./member-verdicts.ts";

const amber = "amber" as ClusterId;
const birch = "birch" as ClusterId;

/** A clock and a member's ways, as a test turns them. */
function bench() {
  let now = 1000;
  const reached = new Set<ClusterId>();
  const clock = { monotonic: () => now as Millis };
  const verdicts = new MemberVerdicts({ clock, reaches: (cluster) => reached.has(cluster) });
  return {
    verdicts,
    pass: (ms: number) => {
      now += ms;
    },
    up: (cluster: ClusterId) => {
      reached.add(cluster);
      verdicts.heard(cluster);
    },
    down: (cluster: ClusterId) => {
      reached.delete(cluster);
      verdicts.heard(cluster);
    },
  };
}

describe("MemberVerdicts", () => {
  test("a member is down before a way to it was up, and up from then on", () => {
    const { verdicts, up } = bench();
    expect([verdicts.of(amber), verdicts.secondsIn(amber)]).toEqual(["down", null]);
    up(amber);
    expect([verdicts.of(amber), verdicts.secondsIn(amber)]).toEqual(["up", 0]);
    expect(verdicts.released()).toEqual([]);
  });

  test("its last way's end is its own, at once; its first return is not held", () => {
    const { verdicts, up, down, pass } = bench();
    up(amber);
    pass(5000);
    down(amber);
    expect(verdicts.of(amber)).toBe("down");
    pass(3000);
    expect(verdicts.secondsIn(amber)).toBe(3);
    up(amber);
    expect(verdicts.of(amber)).toBe("up");
  });

  test("each further return within two minutes is held twice as long, up to half a minute", () => {
    const { verdicts, up, down, pass } = bench();
    up(amber);
    const waits = [0, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const wait of waits) {
      pass(100);
      down(amber);
      up(amber);
      if (wait > 0) {
        pass(wait - 1);
        expect(verdicts.of(amber)).toBe("held");
        expect(verdicts.released()).toEqual([]);
        pass(1);
        expect(verdicts.released()).toEqual([amber]);
        expect(verdicts.released()).toEqual([]);
      }
      expect(verdicts.of(amber)).toBe("up");
    }
  });

  test("falls are forgotten, and those of one member are nothing to another", () => {
    const { verdicts, up, down, pass } = bench();
    for (const cluster of [amber, birch]) up(cluster);
    for (let i = 0; i < 3; i += 1) {
      down(amber);
      up(amber);
    }
    down(birch);
    up(birch);
    expect([verdicts.of(amber), verdicts.of(birch)]).toEqual(["held", "up"]);
    pass(120_000);
    down(amber);
    up(amber);
    expect(verdicts.of(amber)).toBe("up");
  });

  test("a member that falls while it is held is down, and not released", () => {
    const { verdicts, up, down, pass } = bench();
    up(amber);
    for (let i = 0; i < 2; i += 1) {
      down(amber);
      up(amber);
    }
    down(amber);
    pass(60_000);
    expect([verdicts.of(amber), verdicts.released()]).toEqual(["down", []]);
  });
});
