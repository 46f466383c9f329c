import { afterEach, describe, expect, test } from "vitest";
import { silentLog, systemClock, type Trouble, Troubles } from "#life";
import { expect as must, parseIp } from "#values";
import type { PeerState } from "./peer-state.ts";
import { createProber, type Prober, type ProberOptions } from "./prober.ts";
import type { ProbeTarget } from "./report.ts";

const PORT = 20_000 + ((process.pid + 7) % 20_000);
const STATE: PeerState = { generation: 1, epoch: 5, seq: 70, headHash: "cd".repeat(16) };
const never = new AbortController().signal;

interface Running {
  readonly prober: Prober;
  readonly verdicts: string[];
  readonly troubles: Map<string, Trouble>;
  readonly stop: () => Promise<void>;
}

const running: Running[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function start(address: string, mode: "ffi" | "dgram", more: Partial<ProberOptions> = {}): Promise<Running> {
  const present = new Map<string, Trouble>();
  const troubles = new Troubles(
    (trouble, on) => void (on ? present.set(trouble.code, trouble) : present.delete(trouble.code)),
  );
  const options = { address: must(parseIp(address)), port: PORT, mode, clock: systemClock, log: silentLog, troubles };
  const prober = createProber({ ...options, random: () => 0.5, ...more });
  const life = new AbortController();
  const verdicts: string[] = [];
  prober.onVerdict((id, up) => verdicts.push(`${id} ${up ? "up" : "down"}`));
  const ended = prober.run(life.signal);
  const stop = (): Promise<void> => {
    life.abort();
    return ended;
  };
  const one = { prober, verdicts, troubles: present, stop };
  running.push(one);
  await prober.started;
  return one;
}

function target(id: string, address: string): ProbeTarget {
  return { id, address: must(parseIp(address)), interface: null };
}

/** Resolves with the next verdict that a prober gives. */
function verdict({ prober }: Running): Promise<string> {
  return new Promise((resolve) => prober.onVerdict((id, up) => resolve(`${id} ${up ? "up" : "down"}`)));
}

describe.each(["ffi", "dgram"] as const)("two probers by %s", (mode) => {
  test("find each other up, down within 500 ms when one stops, and up when it returns", async () => {
    const left = await start("127.7.0.1", mode);
    const right = await start("127.7.0.2", mode);
    expect(left.prober.mode()).toBe(mode);
    left.prober.setTargets([target("b/g", "127.7.0.2")]);
    right.prober.setTargets([target("a/g", "127.7.0.1")]);
    expect(await Promise.all([verdict(left), verdict(right)])).toEqual(["b/g up", "a/g up"]);

    const down = verdict(left);
    const before = systemClock.monotonic();
    await right.stop();
    expect(await down).toBe("b/g down");
    expect(systemClock.monotonic() - before).toBeLessThan(500);

    const up = verdict(left);
    await start("127.7.0.2", mode);
    expect(await up).toBe("b/g up");
    expect(left.verdicts).toEqual(["b/g up", "b/g down", "b/g up"]);
  });

  test("reports() measures the path and shows the peer's state", async () => {
    const left = await start("127.7.0.1", mode);
    const right = await start("127.7.0.2", mode);
    right.prober.setState(STATE);
    left.prober.setTargets([target("b/g", "127.7.0.2")]);
    expect(left.prober.reports()).toMatchObject([{ id: "b/g", up: false, sent: 0, rttSeconds: null, peerState: null }]);
    await verdict(left);
    await expect.poll(() => left.prober.reports()[0]?.received ?? 0, { timeout: 5000 }).toBeGreaterThanOrEqual(20);
    const [report] = left.prober.reports();
    expect(report).toMatchObject({ up: true, lossRatio: 0, peerState: STATE });
    expect(report?.rttSeconds).toBeGreaterThan(0);
    expect(report?.rttSeconds).toBeLessThan(0.1);
    expect(report?.histogram.at(-1)?.count).toBe(report?.histogramCount);
    expect(systemClock.now() - (report?.since ?? 0)).toBeLessThan(60_000);
  });

  test("bench() measures round trips and throughput", async () => {
    const left = await start("127.7.0.1", mode);
    const right = await start("127.7.0.2", mode);
    left.prober.setTargets([target("b/g", "127.7.0.2")]);
    right.prober.setTargets([target("a/g", "127.7.0.1")]);
    await verdict(left);
    const ask = { ids: ["b/g"], durationMs: 300, throughput: true, signal: never };
    const [result, ...rest] = must(await left.prober.bench(ask));
    expect(rest).toEqual([]);
    expect(result).toMatchObject({ id: "b/g", lossRatio: 0 });
    expect(result?.samples).toBeGreaterThan(100);
    const { minSeconds, p50Seconds, p90Seconds, p99Seconds, maxSeconds } = result ?? {};
    const rising = [0, minSeconds, p50Seconds, p90Seconds, p99Seconds, maxSeconds, 0.3].map(Number);
    expect(rising).toEqual(rising.toSorted((a, b) => a - b));
    expect(result?.bitsPerSecond).toBeGreaterThan(1e7);
  });
});

describe("ffi and dgram", () => {
  test("understand each other", async () => {
    const left = await start("127.7.0.1", "ffi");
    const right = await start("127.7.0.2", "dgram");
    left.prober.setTargets([target("b/g", "127.7.0.2")]);
    right.prober.setTargets([target("a/g", "127.7.0.1")]);
    expect(await Promise.all([verdict(left), verdict(right)])).toEqual(["b/g up", "a/g up"]);
  });
});

describe("bench()", () => {
  test("refuses unknown peers, none, a peer twice, and a time out of range", async () => {
    const { prober } = await start("127.7.0.1", "ffi");
    prober.setTargets([target("b/g", "127.7.0.2")]);
    const ask = { ids: ["b/g"], durationMs: 100, throughput: false, signal: never };
    const faultOf = async (change: object): Promise<unknown> => {
      const result = await prober.bench({ ...ask, ...change });
      return result.ok ? null : result.error;
    };
    expect(await faultOf({ ids: ["x/y"] })).toBe("no such peer: x/y; there are b/g");
    expect(await faultOf({ ids: [] })).toBe("there is no peer to measure");
    expect(await faultOf({ ids: ["b/g", "b/g"] })).toBe("a peer is named twice");
    expect(await faultOf({ durationMs: 31_000 })).toBe("a benchmark lasts 1 ms to 30 s: 31000 ms");
  });

  test("runs one benchmark at a time, and rejects when its signal aborts", async () => {
    const { prober } = await start("127.7.0.1", "ffi");
    prober.setTargets([target("b/g", "127.7.0.2")]);
    const stop = new AbortController();
    const ask = { ids: ["b/g"], durationMs: 20_000, throughput: false };
    const first = prober.bench({ ...ask, signal: stop.signal });
    const second = await prober.bench({ ...ask, signal: never });
    expect(second).toEqual({ ok: false, error: "another benchmark is running: try again when it has ended" });
    stop.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect((await prober.bench({ ...ask, durationMs: 10, signal: never })).ok).toBe(true);
  });

  test("gives no throughput where the peer serves none, and the rest all the same", async () => {
    const { prober } = await start("127.7.0.1", "ffi");
    prober.setTargets([target("b/g", "127.7.0.9")]);
    const results = must(await prober.bench({ ids: ["b/g"], durationMs: 50, throughput: true, signal: never }));
    expect(results).toMatchObject([{ samples: 0, lossRatio: 1, p50Seconds: null, bitsPerSecond: null }]);
  });

  test("is refused before the prober runs, and ended when it stops", async () => {
    const one = await start("127.7.0.1", "ffi");
    one.prober.setTargets([target("b/g", "127.7.0.2")]);
    const ask = { ids: ["b/g"], durationMs: 20_000, throughput: false, signal: never };
    const bench = one.prober.bench(ask);
    await Promise.all([expect(bench).rejects.toThrow(), one.stop()]);
    expect(await one.prober.bench(ask)).toEqual({ ok: false, error: "the prober does not run" });
  });
});

describe("troubles", () => {
  test("probe-slow says from when on detection takes longer, and goes", async () => {
    const { prober, troubles } = await start("127.7.0.1", "ffi");
    const many = Array.from({ length: 200 }, (_, i) => target(`c${i}/g`, `127.7.3.${i + 1}`));
    prober.setTargets(many);
    expect(troubles.get("probe-slow")).toMatchObject({
      severity: "info",
      detail:
        "200 targets share 2000 probes a second: each is probed every 100 ms, and a failure is seen that much later",
    });
    prober.setTargets(many.slice(0, 100));
    expect(troubles.has("probe-slow")).toBe(false);
  });

  test.each(["ffi", "dgram"] as const)("probe-socket stays while the port is taken, by %s", async (mode) => {
    const first = await start("127.7.0.1", mode);
    const troubles = new Troubles();
    const life = new AbortController();
    const options = { address: must(parseIp("127.7.0.1")), port: PORT, mode, clock: systemClock, log: silentLog };
    const second = createProber({ ...options, random: () => 0.5, troubles });
    const ended = second.run(life.signal);
    const codes = () => troubles.list().map(({ code }) => code);
    await expect.poll(codes, { timeout: 10_000 }).toContain("probe-socket"); // after a thread has started
    expect(troubles.list()[0]?.detail).toContain("EADDRINUSE");
    await first.stop();
    await second.started;
    expect(codes()).not.toContain("probe-socket");
    life.abort();
    await ended;
  });

  test("probe-fallback tells that node:dgram is in use", async () => {
    const { troubles } = await start("127.7.0.1", "dgram");
    expect(troubles.get("probe-fallback")?.severity).toBe("info");
  });
});
