import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { raiseShare } from "./raise-share.ts";

const hasAutogroups = existsSync("/proc/self/autogroup");
let child: ChildProcess;
let pid: number;

beforeEach(() => {
  child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  pid = child.pid ?? 0;
});
afterEach(() => {
  child.kill("SIGKILL");
});

/** Without CAP_SYS_NICE nothing can be raised, and nothing is expected to be. */
function mayRaise(): boolean {
  try {
    setPriority(pid, -1);
    return true;
  } catch {
    return false;
  }
}

describe("raiseShare()", () => {
  test("raises the threads, and the session that they are weighed by", async ({ skip }) => {
    if (!mayRaise()) skip("needs CAP_SYS_NICE");
    await raiseShare(pid, systemClock);
    expect(getPriority(pid)).toBe(-10);
    if (hasAutogroups) expect(readFileSync(`/proc/${pid}/autogroup`, "utf8")).toMatch(/nice -10$/m);
  });

  test("of a process that has ended it asks nothing", async () => {
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    await raiseShare(pid, systemClock);
  });
});
