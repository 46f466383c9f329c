import { describe, expect, test } from "vitest";
import { parseCidr, expect as take } from "#values";
import { Asker } from "./asker.ts";
import { Counters, counterMemory, sumCounters } from "./counters.ts";
import { Networks } from "./networks.ts";
import { fullRateLimit, type RateLimit } from "./rate-limit.ts";
import { JUDGEMENT, KIND, RateLimiter, rateMemory } from "./rate-limiter.ts";

/** bench is a limiter under a clock of its own. */
function limited(limit: RateLimit, forwarders: readonly string[] = []) {
  const full = fullRateLimit(limit);
  const counts = counterMemory(1);
  const time = { ms: 5_000_000 };
  const options = {
    limit: full,
    memory: rateMemory(full, [1, 2]),
    forwarders: new Networks(forwarders.map((cidr) => take(parseCidr(cidr)))),
    now: () => time.ms,
    counters: new Counters(counts, 0),
  };
  const limiter = new RateLimiter(options);
  const asker = new Asker();
  const judge = (ip: string, kind: 0 | 1 | 2 = KIND.response, subject = 7) => {
    asker.setText(ip);
    return limiter.judge(asker, kind, subject);
  };
  /** How many of n replies are sent, dropped, slipped. */
  const burst = (n: number, ...args: Parameters<typeof judge>): readonly number[] => {
    const judged = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const judgement = judge(...args);
      judged[judgement] = (judged[judgement] ?? 0) + 1;
    }
    return judged;
  };
  return { judge, burst, time, options, stats: () => sumCounters(counts).rateLimited };
}

describe("judge()", () => {
  test("sends a second's worth, then every second of the others is cut and the rest dropped", () => {
    const { burst, stats } = limited({ responsesPerSecond: 10 });
    expect(burst(110, "192.0.2.1")).toEqual([10, 50, 50]);
    expect(stats()).toEqual({ dropped: 50, slipped: 50 });
  });

  test.each([
    [0, [5, 20, 0]],
    [1, [5, 0, 20]],
    [4, [5, 15, 5]],
  ])("slip %i of 20 too many gives %j", (slip, want) => {
    expect(limited({ responsesPerSecond: 5, slip }).burst(25, "192.0.2.1")).toEqual(want);
  });

  test("a flood never gets more than its share a second, and is forgotten a window after it ends", () => {
    const { burst, judge, time } = limited({ responsesPerSecond: 10, windowSeconds: 3, slip: 0 });
    let sent = 0;
    for (let second = 0; second < 20; second++) {
      sent += burst(1000, "192.0.2.1")[0] ?? 0;
      time.ms += 1000;
    }
    expect(sent).toBe(10);
    time.ms += 2000;
    expect(judge("192.0.2.1")).toBe(JUDGEMENT.drop);
    time.ms += 1000;
    expect(judge("192.0.2.1")).toBe(JUDGEMENT.send);
  });

  test("who stays below is never held back, for however long", () => {
    const { burst, time } = limited({ responsesPerSecond: 10 });
    for (let second = 0; second < 100; second++) {
      expect(burst(10, "192.0.2.1")).toEqual([10, 0, 0]);
      time.ms += 1000;
    }
  });

  test("a /24 and a /56 are one client, their neighbours others", () => {
    const { burst, judge } = limited({ responsesPerSecond: 10 });
    burst(100, "192.0.2.1");
    expect(judge("192.0.2.254")).not.toBe(JUDGEMENT.send);
    expect(judge("192.0.3.1")).toBe(JUDGEMENT.send);
    burst(100, "2001:db8:0:1::1");
    expect(judge("2001:db8:0:ff::9")).not.toBe(JUDGEMENT.send);
    expect(judge("2001:db8:0:100::1")).toBe(JUDGEMENT.send);
  });

  test("names, absences and errors have accounts of their own", () => {
    const { burst, judge } = limited({ responsesPerSecond: 10, nxdomainsPerSecond: 3, errorsPerSecond: 2, slip: 0 });
    expect(burst(50, "192.0.2.1", KIND.response, 1)).toEqual([10, 40, 0]);
    expect(judge("192.0.2.1", KIND.response, 2)).toBe(JUDGEMENT.send);
    expect(burst(50, "192.0.2.1", KIND.nxdomain, 0)).toEqual([3, 47, 0]);
    expect(burst(50, "192.0.2.1", KIND.error, 0)).toEqual([2, 48, 0]);
  });

  test("forwarders are never limited, nor is who is not known", () => {
    const { burst } = limited({ responsesPerSecond: 1 }, ["10.0.0.0/30", "fd00::/64"]);
    expect(burst(100, "10.0.0.3")).toEqual([100, 0, 0]);
    expect(burst(100, "fd00::1:2")).toEqual([100, 0, 0]);
    expect(burst(100, "10.0.0.4")[0]).toBe(1);
    expect(burst(100, "fd00:0:0:1::1")[0]).toBe(1);
    expect(burst(100, "")).toEqual([100, 0, 0]);
  });

  test("a flood from everywhere does not push out a flood from one place, and takes no memory", () => {
    const { burst, judge, options } = limited({ responsesPerSecond: 5, accounts: 64, slip: 0 });
    burst(100, "192.0.2.1");
    let sent = 0;
    for (let i = 0; i < 20_000; i++) {
      judge(`10.${i & 255}.${(i >> 8) & 255}.1`);
      if (judge("192.0.2.1") === JUDGEMENT.send) sent++;
    }
    expect(sent).toBe(0);
    expect(options.memory.byteLength).toBe((2 + 64 * 5) * 4);
  });

  test("threads share accounts", () => {
    const { burst, options } = limited({ responsesPerSecond: 10, slip: 0 });
    burst(100, "192.0.2.1");
    const asker = new Asker();
    asker.setText("192.0.2.1");
    expect(new RateLimiter(options).judge(asker, KIND.response, 7)).toBe(JUDGEMENT.drop);
  });

  test("a clock that stands still or goes back gives nothing away", () => {
    const { burst, time } = limited({ responsesPerSecond: 10, slip: 0 });
    burst(100, "192.0.2.1");
    time.ms -= 3_600_000;
    expect(burst(100, "192.0.2.1")).toEqual([0, 100, 0]);
  });
});

describe("fullRateLimit()", () => {
  test("fills in what BIND has", () => {
    expect(fullRateLimit({ responsesPerSecond: 20 })).toEqual({
      responsesPerSecond: 20,
      nxdomainsPerSecond: 20,
      errorsPerSecond: 20,
      windowSeconds: 15,
      slip: 2,
      ipv4Prefix: 24,
      ipv6Prefix: 56,
      accounts: 65_536,
    });
  });

  test.each([
    [{ responsesPerSecond: 0 }, "rateLimit.responsesPerSecond must be 1 to 1000000: current value is 0"],
    [{ responsesPerSecond: 1, slip: 1.5 }, "rateLimit.slip must be 0 to 100"],
    [{ responsesPerSecond: 1, ipv4Prefix: 33 }, "rateLimit.ipv4Prefix must be 1 to 32"],
  ])("refuses %j", (limit, says) => {
    expect(() => fullRateLimit(limit)).toThrow(says);
  });
});
