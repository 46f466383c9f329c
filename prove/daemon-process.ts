import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeFault, runCommand } from "#life";

const BIN = fileURLToPath(new URL("../bin/meridian", import.meta.url));
/** Lines of its log that are kept to say why it ended. */
const KEPT = 50;

/** DaemonProcess is one daemon of the program in a process of its own on this host: to be killed and started again as
 *  often as a proof wants. */
export class DaemonProcess {
  #child: ChildProcess | null = null;
  #isUnder = false;

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** start resolves when the daemon says that it serves, and rejects when it ends before. `under` is a program that runs
   *  it: strace, which may do something to one of its system calls. */
  async start(argv: readonly string[], under: readonly string[] = []): Promise<void> {
    const [program = BIN, ...rest] = [...under, BIN, ...argv, "--log-format", "json"];
    const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.#isUnder = under.length > 0;
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on("line", (line) => {
        if (lines.push(line) > KEPT) lines.shift();
        if (line.includes('"msg":"ready"')) resolve();
      });
      const why = (): string => lines.slice(-3).join(" | ");
      child.once("close", (code) => reject(new Error(`${argv[0]} ended with ${code}: ${why()}`)));
    });
  }

  /** gone resolves when the process has ended by itself, or by somebody else. */
  async gone(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, "close");
  }

  /** end sends a signal and waits until the process is gone; one that runs under another gets it, too. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    const under = this.#isUnder ? childrenOf(child.pid ?? 0) : [];
    for (const pid of under) process.kill(pid, signal);
    if (under.length === 0) child.kill(signal);
    await closed;
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** say calls a verb of the program and gives what it printed. */
export async function say(...argv: readonly string[]): Promise<string> {
  const said = await runCommand([BIN, ...argv]);
  if (!said.ok) throw new Error(`meridian ${argv.slice(0, 2).join(" ")}: ${describeFault(said.error)}`);
  return said.value.trim();
}
