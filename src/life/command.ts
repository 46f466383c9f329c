import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { err, ok, type Result } from "#values";

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

/** runCommand runs an outside program by argv, never through a shell, and gives its stdout.
 *  `missing` means that there is no such program. One that says more than it may is killed. Rejects only when the
 *  signal aborts, and then when the program has gone. */
export function runCommand(
  argv: readonly string[],
  { stdin, signal, maxBytes = 256 << 20 }: CommandOptions = {},
): Promise<Result<string, CommandFault>> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    });
    const said = collect(child.stdout, maxBytes, () => child.kill("SIGKILL"));
    const complaint = collect(child.stderr, MAX_STDERR, () => {});
    const fail = (kind: CommandFault["kind"], code: number | null, text: string): void =>
      resolve(err({ kind, argv, code, stderr: text }));
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (signal?.aborted !== true) fail(error.code === "ENOENT" ? "missing" : "failed", null, error.message);
      else if (child.pid === undefined) reject(signal.reason);
    });
    child.stdin?.on("error", () => {}); // a program that exits early says why on stderr
    child.stdin?.end(stdin);
    child.on("exit", () => {
      if (signal?.aborted === true) reject(signal.reason); // what it has started itself may hold the pipes for long
    });
    child.on("close", (code) => {
      if (said.tooMuch()) fail("failed", code, `more than ${maxBytes} bytes of output`);
      else if (code === 0) resolve(ok(said.text()));
      else fail("failed", code, complaint.text().trim());
    });
  });
}

/** collect keeps a stream up to a limit, and tells once when there is more. */
function collect(
  stream: Readable | null,
  maxBytes: number,
  onTooMuch: () => void,
): { readonly text: () => string; readonly tooMuch: () => boolean } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    const before = bytes;
    bytes += chunk.length;
    if (before <= maxBytes) chunks.push(chunk.subarray(0, maxBytes - before));
    if (before <= maxBytes && bytes > maxBytes) onTooMuch();
  });
  return { text: () => Buffer.concat(chunks).toString("utf8"), tooMuch: () => bytes > maxBytes };
}

/** describeFault is one line for a trouble or an error: which program said what. */
export function describeFault({ kind, argv, code, stderr }: CommandFault): string {
  if (kind === "missing") return `${argv[0]} is not installed`;
  const said = stderr.split("\n").slice(0, 3).join(" | ");
  return `${argv.slice(0, 6).join(" ")} failed (${code === null ? "killed" : `exit ${code}`}): ${said}`;
}
