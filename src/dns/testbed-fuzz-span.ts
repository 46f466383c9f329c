import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fuzzAnswerer } from "./testbed-fuzz.ts";
import { fuzzSockets } from "./testbed-fuzz-sockets.ts";
import { MODES } from "./testbed-wire.ts";

const never = new AbortController().signal;

/** fuzzesFor declares the tests of F46, each of which goes on for so long with a seed of its own. */
export function fuzzesFor(spanMs: number): void {
  const timeoutMs = spanMs + 100_000;

  describe("F46: random, mutated and grammar-built packets", () => {
    test(
      "in process: none over 5 ms, every reply sound, memory flat",
      () => {
        const seed = randomInt(1, 2 ** 31);
        fuzzAnswerer({ seed, packets: 50_000, secondEvery: 1 });
        const before = process.memoryUsage().rss;
        const report = fuzzAnswerer({ seed: seed + 1, packets: 1e9, spanMs, secondEvery: 1 });
        expect(report.packets).toBeGreaterThan(2.5 * spanMs);
        expect(report.slowestMs, report.slowest).toBeLessThan(5);
        expect(process.memoryUsage().rss - before).toBeLessThan(60 << 20); // other tests' too: the long run says 20 MiB
      },
      timeoutMs,
    );

    test.each(MODES)(
      "over sockets, by %s: every packet its reply, every reply sound",
      async (mode) => {
        const seed = randomInt(1, 2 ** 31);
        const report = await fuzzSockets(mode, { seed, packets: 1e9, spanMs, secondEvery: 4 }, never);
        expect(report.packets).toBeGreaterThan(spanMs / 20);
        expect(report.slowestMs).toBeLessThan(5);
      },
      timeoutMs,
    );
  });
}
