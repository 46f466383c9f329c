import { describeFault, isAbort, runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** PATIENCE_MS ends a program that hangs, as `wg` does while a stopped wireguard-go holds its socket. */
const PATIENCE_MS = 10_000;

/** outside runs `ip`, `wg` and their like, and gives their stdout or one line that says what failed. */
export async function outside(argv: readonly string[], stdin?: string): Promise<Result<string>> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const done = await runCommand(argv, stdin === undefined ? { signal } : { signal, stdin });
    return done.ok ? done : err(describeFault(done.error));
  } catch (reason) {
    if (!isAbort(reason)) throw reason;
    return err(`${argv.slice(0, 6).join(" ")} did not end within ${PATIENCE_MS / 1000} s`);
  }
}

/** ipBatch runs lines of `ip` in one process. A line that fails does not hold up the others; each gives one fault. */
export async function ipBatch(lines: readonly string[]): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const done = await runCommand(["ip", "-force", "-batch", "-"], { stdin: `${lines.join("\n")}\n`, signal });
    if (done.ok) return [];
    const faults = batchFaults(lines, done.error.stderr);
    return faults.length > 0 ? faults : [describeFault(done.error)];
  } catch (reason) {
    if (!isAbort(reason)) throw reason;
    return [`ip -batch did not end within ${PATIENCE_MS / 1000} s`];
  }
}

/** batchFaults reads the stderr of `ip -batch`: what went wrong, then `Command failed -:LINE`. */
export function batchFaults(lines: readonly string[], stderr: string): readonly string[] {
  const faults: string[] = [];
  // Lines before `Command failed` belong to it; the rest of stderr, if any, to nothing in particular.
  let said: string[] = [];
  for (const text of stderr.split("\n")) {
    const failed = /^Command failed -:(\d+)$/.exec(text);
    if (failed === null) {
      said.push(text);
      continue;
    }
    // We add only what we found missing, so what exists all the same is somebody else's.
    const why = said
      .join(" ")
      .trim()
      .replace(/^RTNETLINK answers: File exists$/, "somebody else has it already");
    faults.push(`ip ${lines[Number(failed[1]) - 1] ?? "?"}: ${why}`);
    said = [];
  }
  return faults;
}

/** allOf is the values of all results, or the first error. */
export function allOf<T extends readonly unknown[]>(results: { [K in keyof T]: Result<T[K]> }): Result<T> {
  const failed = results.find((result) => !result.ok);
  if (failed !== undefined && !failed.ok) return failed;
  return ok(results.map((result) => (result.ok ? result.value : undefined)) as unknown as T);
}
