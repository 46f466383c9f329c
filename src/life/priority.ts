import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { err, ok, type Result } from "#values";

/** Niceness of the thread that decides, on the scale of setpriority(2): it works for milliseconds at a time, and on a
 *  busy node it would wait behind everybody else's work each time. */
const FIRST = -10;
/** That of every process which asked for nothing. */
const USUAL = 0;

/** preferProcess gives the threads that there are now precedence over what else the host does: the one that decides,
 *  and those of the runtime, which it waits for when memory is collected. Threads and programs that are started later
 *  inherit it. On Linux a niceness is a thread's own (sched(7)); with autogroups it counts only within the session,
 *  so the session's is raised, too. The error says what is missing: the daemon does without. */
export function preferProcess(): Result<null> {
  try {
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), FIRST);
  } catch (reason) {
    return err(`${reason instanceof Error ? reason.message : String(reason)}: CAP_SYS_NICE is missing`);
  }
  try {
    writeFileSync("/proc/self/autogroup", String(FIRST));
  } catch {
    // A kernel without autogroups, or a container that may not write there: the niceness counts by itself.
  }
  return ok(null);
}

/** withoutPreference runs what starts a program that should have no precedence: a child inherits the niceness of the
 *  thread that starts it. */
export function withoutPreference<T>(start: () => T): T {
  const before = getPriority(0);
  if (before >= USUAL) return start();
  setPriority(0, USUAL);
  try {
    return start();
  } finally {
    setPriority(0, before);
  }
}
