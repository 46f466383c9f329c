import { type CommandFault, describeFault, runCommand } from "#life";
import { err, type Result } from "#values";
import type { Place } from "./place.ts";
import { MARK } from "./processes.ts";

export interface ExecOptions {
  readonly stdin?: string;
  /** The command is ended after this time; 10 s unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** All of them exec in place, so the process that is started keeps its pid through env, nsenter and sh.
 *  The PATH of a plain user lacks the folders of `nft` and `conntrack`. */
export const WRAP = 'PATH="$PATH:/usr/sbin:/sbin" exec "$@"';

/** inside is the command that runs another one in a place: with its network, mounts and host name. */
export function inside(place: Place, argv: readonly string[]): readonly string[] {
  const enter = ["nsenter", "-t", String(place.pid), "-n", "-m", "-u", "--"];
  return ["env", `${MARK}=${place.run.folder}`, ...enter, "sh", "-c", WRAP, "sh", ...argv];
}

/** exec runs a command in a place and gives its stdout. The fault names the command as it was given. */
export async function exec(
  place: Place,
  argv: readonly string[],
  { stdin, timeoutMs = 10_000, signal }: ExecOptions = {},
): Promise<Result<string, CommandFault>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const both = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    const result = await runCommand(inside(place, argv), { signal: both, ...(stdin === undefined ? {} : { stdin }) });
    return result.ok ? result : err({ ...result.error, argv });
  } catch (reason) {
    if (!timeout.aborted || signal?.aborted === true) throw reason;
    return err({ kind: "failed", argv, code: null, stderr: `no end within ${timeoutMs} ms` });
  }
}

/** mustExec is exec for what cannot fail unless the laboratory is broken: it throws then. */
export async function mustExec(place: Place, argv: readonly string[], options: ExecOptions = {}): Promise<string> {
  const result = await exec(place, argv, options);
  if (!result.ok) throw new Error(`in ${place.name}: ${describeFault(result.error)}`);
  return result.value;
}

/** ipBatch gives commands to one `ip -batch`, which stops at the first that fails. */
export async function ipBatch(place: Place, lines: readonly string[]): Promise<void> {
  await mustExec(place, ["ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
}
