import { describe, expect, test } from "vitest";
import { busyShare, cpuSecondsOf, memoryOf, parseCpuSeconds, parseMachine, parseMemory, stealShare } from "./usage.ts";

describe("parseMemory()", () => {
  test("reads VmRSS and VmHWM in KiB", () => {
    const status = "Name:\tnode\nVmPeak:\t 900 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t11\n";
    expect(parseMemory(status)).toEqual({ rssBytes: 1024 * 1024, peakBytes: 2048 * 1024 });
  });

  test("is NaN for a kernel thread, which has no memory of its own", () => {
    expect(parseMemory("Name:\tkworker/0:1\n").rssBytes).toBeNaN();
  });
});

describe("parseCpuSeconds()", () => {
  test("adds user and system time, also of children that were waited for", () => {
    const stat = "42 (node) S 1 42 42 0 -1 4194304 900 0 0 0 150 50 30 20 20 0 11 0 100 0 0";
    expect(parseCpuSeconds(stat)).toBe(2.5);
  });

  test("is not led astray by a command with blanks and brackets", () => {
    expect(parseCpuSeconds("42 (a) S (b c) R 1 1 1 0 -1 0 0 0 0 0 100 0 0 0 20 0")).toBe(1);
  });
});

describe("this process", () => {
  test("memoryOf() never has more now than at its peak", async () => {
    const { rssBytes, peakBytes } = await memoryOf(process.pid);
    expect(rssBytes).toBeGreaterThan(10 << 20);
    expect(peakBytes).toBeGreaterThanOrEqual(rssBytes);
  });

  test("cpuSecondsOf() agrees with what Node counts, but for ticks and children", async () => {
    const { user, system } = process.cpuUsage();
    expect(await cpuSecondsOf(process.pid)).toBeGreaterThanOrEqual((user + system) / 1e6 - 0.1);
  });
});

describe("parseMachine()", () => {
  const first = parseMachine("cpu  100 10 50 800 20 5 5 10 7 0\ncpu0 1 2 3\n");

  test("adds everything but guest time, which is part of user", () => {
    expect(first).toEqual({ total: 1000, steal: 10, idle: 820 });
  });

  test("stealShare() is the part of the time in between", () => {
    const second = parseMachine("cpu  150 10 50 830 20 5 5 30 0 0\n");
    expect(stealShare(first, second)).toBeCloseTo(20 / 100);
  });

  test("busyShare() counts waiting for a disk as idle", () => {
    const second = parseMachine("cpu  160 10 50 830 30 5 5 10 0 0\n");
    expect(busyShare(first, second)).toBeCloseTo(0.6);
  });

  test("no time has no share", () => {
    expect([stealShare(first, first), busyShare(first, first)]).toEqual([0, 0]);
  });
});
