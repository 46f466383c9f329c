import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "#life";
import { stampMs } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MOST_TEST_MS = 600_000;
/** A run that takes longer than twice what is promised has failed. */
const PATIENCE_MS = 1_200_000;

/** `$1` is the checkout, `$2` the target. What an outer make has set is none of this one's business. */
const MAKE = 'unset MAKEFLAGS MAKELEVEL MFLAGS; exec make -C "$1" "$2"';
/** Every folder that holds `go` leaves the PATH, unless it holds `make` too. */
const MAKE_WITHOUT_GO = `kept=; old=$IFS; IFS=:
for dir in $PATH; do [ -x "$dir/go" ] && [ ! -x "$dir/make" ] || kept="$kept:$dir"; done
IFS=$old; PATH="\${kept#:}"; export PATH
${MAKE}`;

/** Ran is one target of the Makefile, run to its end. */
interface Ran {
  readonly what: string;
  readonly code: number | null;
  readonly ms: number;
  /** The last line it said: for the tests the count of passed and failed. */
  readonly last: string;
}

/** line1: the commit that is checked out is cloned into an empty folder, and the demo and the tests run there as a user
 *  would run them; then again from another clone, with no Go to be found. */
export const line1: Line = {
  title: "make demo and make test from a fresh clone, with and without Go",
  required: "all end with 0, make test <= 10 min",
  async run(say, signal) {
    const hasGo = (await runCommand(["sh", "-c", "command -v go"])).ok;
    const ways = hasGo ? [MAKE, MAKE_WITHOUT_GO] : [MAKE];
    const ran: Ran[] = [];
    for (const script of ways) {
      const name = script === MAKE ? (hasGo ? "with Go" : "there is no Go") : "Go off the PATH";
      ran.push(...(await inClone(script, name, say, signal)));
    }
    return judge(ran, await describeCommit());
  },
};

/** inClone makes a clone, runs both targets in it and removes it. */
async function inClone(
  script: string,
  name: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Ran[]> {
  const folder = await mkdtemp(join(tmpdir(), "meridian-clone-"));
  const checkout = join(folder, "meridian");
  try {
    const cloned = await runCommand(["git", "clone", "--quiet", "--no-hardlinks", ROOT, checkout], { signal });
    if (!cloned.ok) throw new Error(`git clone: ${cloned.error.stderr}`);
    const ran: Ran[] = [];
    for (const target of ["demo", "test"]) {
      say(`make ${target}, ${name}`);
      ran.push(await runMake(script, checkout, target, name, join(folder, `${target}.log`), signal));
    }
    return ran;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** make gets a process group of its own, so that it can be ended with all it has started. */
async function runMake(
  script: string,
  checkout: string,
  target: string,
  name: string,
  logFile: string,
  signal: AbortSignal,
): Promise<Ran> {
  const log = openSync(logFile, "w");
  const startMs = stampMs();
  const child = spawn("sh", ["-c", script, "sh", checkout, target], { detached: true, stdio: ["ignore", log, log] });
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  const timer = setTimeout(end, PATIENCE_MS);
  signal.addEventListener("abort", end, { once: true });
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
  const lines = (await readFile(logFile, "utf8")).trim().split("\n");
  const last = code === 0 ? (lines.at(-1) ?? "") : lines.slice(-8).join(" | ");
  return { what: `make ${target}, ${name}`, code, ms: stampMs() - startMs, last };
}

function judge(ran: readonly Ran[], commit: string): Proof {
  const good = ran.filter(({ code }) => code === 0).length;
  const tests = ran.filter(({ what }) => what.startsWith("make test"));
  const longest = Math.max(...tests.map(({ ms }) => ms));
  const counted = tests.every(({ last }) => /\d+ passed, \d+ failed/.test(last));
  return {
    measured: `${good} of ${ran.length} ended with 0, make test took ${(longest / 60_000).toFixed(1)} min`,
    holds: good === ran.length && longest <= MOST_TEST_MS && counted,
    details: [
      commit,
      ...ran.map(({ what, code, ms, last }) => `${what}: ${code} after ${(ms / 1000).toFixed(0)} s: ${last}`),
    ],
  };
}

/** What is not committed is not in a clone, so it is said. */
async function describeCommit(): Promise<string> {
  const [commit, changed] = [
    await runCommand(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"]),
    await runCommand(["git", "-C", ROOT, "status", "--porcelain"]),
  ];
  const files = changed.ok ? changed.value.split("\n").filter((line) => line !== "").length : 0;
  return `commit ${commit.ok ? commit.value.trim() : "unknown"}${files === 0 ? "" : `; ${files} files differ here and were not in the clones`}`;
}
