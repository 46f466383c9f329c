import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Latest } from "#life";
import { inside } from "./exec.ts";
import type { Place } from "./place.ts";
import type { Run } from "./run.ts";

/** Job is a long process in a place. It has a session of its own and outlives its starter if nobody stops it. */
export interface Job {
  readonly name: string;
  /** Pid of the program itself, not of a wrapper. */
  readonly pid: number;
  /** Holds stdout and stderr of this start and of earlier ones under the same name. */
  readonly logFile: string;
  /** Length of the log when the job started, in bytes: what is before belongs to an earlier start. */
  readonly logStart: number;
  /** Exit code when it has ended; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** spawnIn starts a program in a place; its output goes to `log/NAME.log` of the run. */
export async function spawnIn(place: Place, name: string, argv: readonly string[]): Promise<Job> {
  return startJob(place.run, name, inside(place, argv));
}

/** startJob is spawnIn for a command that finds its place by itself. */
export async function startJob(run: Run, name: string, argv: readonly string[]): Promise<Job> {
  const logFile = join(run.folder, "log", `${name}.log`);
  const log = openSync(logFile, "a");
  const logStart = (await readFile(logFile)).length;
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  child.unref();
  if (child.pid === undefined) throw new Error(`${name}: ${program} cannot be started`);
  return { name, pid: child.pid, logFile, logStart, ended };
}

/** stopJob sends a signal and waits for the end; after the grace it sends SIGKILL. Gives the exit code. */
export async function stopJob(
  job: Job,
  { signal = "SIGTERM", graceMs = 12_000 }: { readonly signal?: NodeJS.Signals; readonly graceMs?: number } = {},
): Promise<number | null> {
  send(job, signal);
  const timer = setTimeout(() => send(job, "SIGKILL"), graceMs);
  const code = await job.ended;
  clearTimeout(timer);
  return code;
}

/** endOf waits for a job that ends by itself, and gives its exit code. The timer also keeps this process alive
 *  meanwhile, which the job does not. */
export async function endOf(job: Job, timeoutMs = 10_000): Promise<number | null> {
  const late = new Latest(false);
  const timer = setTimeout(() => late.set(true), timeoutMs);
  const code = await Promise.race([job.ended, late.changed().then(() => undefined)]);
  clearTimeout(timer);
  if (code === undefined) throw new Error(`${job.name}: still runs after ${timeoutMs} ms`);
  return code;
}

/** waitForLine resolves with the first line of a job's output that is wanted. Throws with the end of the log when the
 *  job ends first or the time is over. */
export async function waitForLine(job: Job, wanted: (line: string) => boolean, timeoutMs = 30_000): Promise<string> {
  const change = new Latest(0);
  const watcher = watch(job.logFile, () => change.set(change.value + 1));
  const timeout = new Latest(false);
  const timer = setTimeout(() => timeout.set(true), timeoutMs);
  let over: string | undefined;
  const ends = [job.ended.then((code) => `ended with ${code}`), timeout.changed().then(() => `${timeoutMs} ms passed`)];
  try {
    for (;;) {
      const changed = change.changed().then(() => undefined);
      const lines = await linesOf(job);
      const line = lines.find(wanted);
      if (line !== undefined) return line;
      if (over !== undefined) throw new Error(`${job.name}: ${over}\n${lines.slice(-12).join("\n")}`);
      over = await Promise.race([changed, ...ends]); // the log is read once more after an end: its last line may count
    }
  } finally {
    watcher.close();
    clearTimeout(timer);
  }
}

/** linesOf is what a job has written since its start, whole lines only. */
export async function linesOf(job: Job): Promise<readonly string[]> {
  const text = (await readFile(job.logFile)).subarray(job.logStart).toString("utf8");
  return text.split("\n").slice(0, -1);
}

/** The pid is our own child's, so it cannot have come again before its end was seen. */
function send(job: Job, signal: NodeJS.Signals): void {
  try {
    process.kill(job.pid, signal);
  } catch {
    // It has ended; `ended` says how.
  }
}
