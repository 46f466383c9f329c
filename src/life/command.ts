import { spawn } from "node:child_process";
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

/** runCommand runs an outside program by argv, never through a shell, and gives its stdout.
 *  `missing` means that there is no such program. Rejects only when the signal aborts. */
export function runCommand(
  argv: readonly string[],
  { stdin, signal, maxBytes = 256 << 20 }: CommandOptions = {},
): Promise<Result<string, CommandFault>> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let bytes = 0;
    let stderr = "";
    const child = spawn(program, args, {
      stdio: [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    });
    const fail = (kind: CommandFault["kind"], code: number | null, text: string): void =>
      resolve(err({ kind, argv, code, stderr: text }));
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (signal?.aborted === true) reject(signal.reason);
      else fail(error.code === "ENOENT" ? "missing" : "failed", null, error.message);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) out.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (stderr.length < 65_536) stderr += chunk.toString("utf8");
    });
    child.stdin?.on("error", () => {}); // a program that exits early says why on stderr
    child.stdin?.end(stdin);
    child.on("close", (code) => {
      if (bytes > maxBytes) fail("failed", code, `more than ${maxBytes} bytes of output`);
      else if (code === 0) resolve(ok(Buffer.concat(out).toString("utf8")));
      else fail("failed", code, stderr.trim());
    });
  });
}

/** describeFault is one line for a trouble or an error: which program said what. */
export function describeFault({ kind, argv, code, stderr }: CommandFault): string {
  if (kind === "missing") return `${argv[0]} is not installed`;
  const said = stderr.split("\n").slice(0, 3).join(" | ");
  return `${argv.slice(0, 6).join(" ")} failed (${code === null ? "killed" : `exit ${code}`}): ${said}`;
}
