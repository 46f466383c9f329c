import { describe, expect, test } from "vitest";
import { silentLog } from "#life";
import { expect as must, ok, parseIp } from "#values";
import { Bench, type BenchAsk } from "./bench.ts";
import type { BenchResult } from "./bench-result.ts";
import type { ThroughputOrder, ToWorker } from "./messages.ts";
import type { ProbeTarget } from "./report.ts";

/** A bench whose two threads are lists of what they were told. */
function setUp() {
  const pings: ToWorker[] = [];
  const orders: ThroughputOrder[] = [];
  const warnings: string[] = [];
  const bench = new Bench({
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    ping: (message) => pings.push(message),
    measure: (order) => orders.push(order),
  });
  return { bench, pings, orders, warnings };
}

const TARGETS: ReadonlyMap<string, ProbeTarget> = new Map(
  ["b/g", "c/g"].map((id, i) => [id, { id, address: must(parseIp(`242.0.${i + 2}.1`)), interface: "mrd0" }]),
);

function ask(more: Partial<BenchAsk> = {}): BenchAsk {
  return { ids: ["b/g", "c/g"], durationMs: 1000, throughput: false, signal: new AbortController().signal, ...more };
}

function figures(id: string, p50Seconds: number): BenchResult {
  const rest = { minSeconds: null, p90Seconds: null, p99Seconds: null, maxSeconds: null, jitterSeconds: null };
  return { id, samples: 1, lossRatio: 0, p50Seconds, ...rest, bitsPerSecond: null };
}

/** Lets what awaits go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("run()", () => {
  test("orders one ping-pong for all peers and gives the results in the order asked for", async () => {
    const { bench, pings } = setUp();
    const running = bench.run(ask(), TARGETS, true);
    expect(pings).toEqual([{ kind: "bench", run: 1, ids: ["b/g", "c/g"], durationMs: 1000 }]);
    bench.measured(figures("c/g", 2), 1);
    bench.measured(figures("b/g", 1), 1);
    expect(must(await running).map(({ id }) => id)).toEqual(["b/g", "c/g"]);
  });

  test("measures throughput of one peer after the other", async () => {
    const { bench, orders } = setUp();
    const running = bench.run(ask({ throughput: true }), TARGETS, true);
    for (const id of ["b/g", "c/g"]) bench.measured(figures(id, 1), 1);
    await turn();
    expect(orders).toEqual([{ kind: "measure", run: 1, to: "242.0.2.1", durationMs: 1000 }]);
    bench.throughput(ok(5e6), 1);
    await turn();
    expect(orders).toHaveLength(2);
    bench.throughput(ok(7e6), 1);
    expect(must(await running).map(({ bitsPerSecond }) => bitsPerSecond)).toEqual([5e6, 7e6]);
  });

  test("goes on after a peer whose throughput could not be had, and says why", async () => {
    const { bench, warnings } = setUp();
    const running = bench.run(ask({ ids: ["b/g"], throughput: true }), TARGETS, true);
    bench.measured(figures("b/g", 1), 1);
    await turn();
    bench.throughput({ ok: false, error: "connect ECONNREFUSED" }, 1);
    expect(must(await running)).toMatchObject([{ p50Seconds: 1, bitsPerSecond: null }]);
    expect(warnings).toEqual(["no throughput of b/g: connect ECONNREFUSED"]);
  });

  test("does not take a late result of an aborted run for its own", async () => {
    const { bench, pings } = setUp();
    const stop = new AbortController();
    const first = bench.run(ask({ ids: ["b/g"], signal: stop.signal }), TARGETS, true);
    stop.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(pings.at(-1)).toEqual({ kind: "bench-stop", ids: ["b/g"] });
    const second = bench.run(ask({ ids: ["b/g"] }), TARGETS, true);
    bench.measured(figures("b/g", 1), 1);
    bench.measured(figures("b/g", 2), 2);
    expect(must(await second)).toMatchObject([{ p50Seconds: 2 }]);
  });

  test("cancels the throughput test when its signal aborts", async () => {
    const { bench, orders } = setUp();
    const stop = new AbortController();
    const running = bench.run(ask({ ids: ["b/g"], throughput: true, signal: stop.signal }), TARGETS, true);
    bench.measured(figures("b/g", 1), 1);
    await turn();
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(orders.at(-1)).toEqual({ kind: "cancel" });
  });

  test("rejects at once when its signal has already aborted, and orders nothing", async () => {
    const { bench, pings } = setUp();
    await expect(bench.run(ask({ signal: AbortSignal.abort(new Error("gone")) }), TARGETS, true)).rejects.toThrow(
      "gone",
    );
    expect(pings).toEqual([]);
    const next = bench.run(ask({ ids: ["b/g"] }), TARGETS, true);
    bench.measured(figures("b/g", 1), 2);
    expect((await next).ok).toBe(true);
  });

  test("stop() ends what runs", async () => {
    const { bench } = setUp();
    const running = bench.run(ask(), TARGETS, true);
    bench.stop();
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });
});
