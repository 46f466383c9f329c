import type { Readable } from "node:stream";
import { err, ok, type Result } from "#values";
import { type Child, forkChild, type StartChild } from "./child.ts";
import { loadPosixChild } from "./posix-spawn.ts";

export interface CommandFault {
  readonly kind: "missing" | "failed";
  readonly argv: readonly string[];
  /** Exit code; null when killed or never started. */
  readonly code: number | null;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Largest output kept, in bytes; more is an error. */
  readonly maxBytes?: number;
}

/** Largest part of stderr that is kept, in bytes. */
const MAX_STDERR = 65_536;

/** The way children are started in this process, found at the first call. */
let starter: Promise<StartChild> | undefined;

function startChild(): Promise<StartChild> {
  starter ??= loadPosixChild().then((native) => (native.ok ? native.value : forkChild));
  return starter;
}

/** runCommand runs an outside program by argv, never through a shell, and gives its stdout.
 *  `missing` means that there is no such program. One that says more than it may is killed. Rejects only when the
 *  signal aborts, and then when the program has gone. */
export async function runCommand(
  argv: readonly string[],
  { stdin, signal, maxBytes = 256 << 20 }: CommandOptions = {},
): Promise<Result<string, CommandFault>> {
  const start = await startChild();
  signal?.throwIfAborted();
  const started = await start(argv, stdin !== undefined);
  if (!started.ok) {
    const { code, message } = started.error;
    return err({ kind: code === "ENOENT" ? "missing" : "failed", argv, code: null, stderr: message });
  }
  return await ranOut(argv, started.value, stdin, signal, maxBytes);
}

/** ranOut hands a child its stdin and waits for its end and for all it says. */
async function ranOut(
  argv: readonly string[],
  child: Child,
  stdin: string | undefined,
  signal: AbortSignal | undefined,
  maxBytes: number,
): Promise<Result<string, CommandFault>> {
  const said = collect(child.stdout, maxBytes, () => child.kill("SIGKILL"));
  const complaint = collect(child.stderr, MAX_STDERR, () => {});
  child.stdin?.on("error", () => {}); // a program that exits early says why on stderr
  child.stdin?.end(stdin);
  if (await abortedBefore(Promise.all([said.closed, complaint.closed]), signal)) {
    child.kill("SIGTERM");
    await child.ended; // but what it has started itself may hold the pipes for long
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    throw signal?.reason;
  }
  const code = await child.ended;
  if (said.tooMuch()) return err({ kind: "failed", argv, code, stderr: `more than ${maxBytes} bytes of output` });
  if (code === 0) return ok(said.text());
  return err({ kind: "failed", argv, code, stderr: complaint.text().trim() });
}

/** abortedBefore waits for done or for the signal, whichever comes first, and says whether that was the signal. */
async function abortedBefore(done: Promise<unknown>, signal: AbortSignal | undefined): Promise<boolean> {
  if (signal === undefined) return done.then(() => false);
  let onAbort: () => void = () => {};
  const aborted = new Promise<boolean>((resolve) => {
    onAbort = () => resolve(true);
  });
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([done.then(() => false), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort); // a signal may live as long as the daemon
  }
}

/** collect keeps a stream up to a limit, and tells once when there is more. */
function collect(
  stream: Readable,
  maxBytes: number,
  onTooMuch: () => void,
): { readonly closed: Promise<void>; readonly text: () => string; readonly tooMuch: () => boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    const before = bytes;
    bytes += chunk.length;
    if (before <= maxBytes) chunks.push(chunk.subarray(0, maxBytes - before));
    if (before <= maxBytes && bytes > maxBytes) onTooMuch();
  });
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  return { closed, text: () => Buffer.concat(chunks).toString("utf8"), tooMuch: () => bytes > maxBytes };
}

/** describeFault is one line for a trouble or an error: which program said what. */
export function describeFault({ kind, argv, code, stderr }: CommandFault): string {
  if (kind === "missing") return `${argv[0]} is not installed`;
  const said = stderr.split("\n").slice(0, 3).join(" | ");
  return `${argv.slice(0, 6).join(" ")} failed (${code === null ? "killed" : `exit ${code}`}): ${said}`;
}
