import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface InjectionAsk {
  readonly pid: number;
  /** The system calls that fail, and how: as strace(1) takes them. */
  readonly calls: string;
  readonly fails: string;
  /** Only calls that name one of these files, or a handle of it. */
  readonly paths?: readonly string[];
}

/** Injection makes system calls of a running process fail, in all of its threads, until it is disposed of: needs strace
 *  and the right to trace. The process gets the kernel's own answer; nothing else in it knows. */
export class Injection implements AsyncDisposable {
  readonly #strace: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(strace: ChildProcess) {
    this.#strace = strace;
    this.#exited = once(strace, "exit");
  }

  /** into returns when the process is attached. */
  static async into({ pid, calls, fails, paths = [] }: InjectionAsk): Promise<Injection> {
    const files = paths.flatMap((path) => ["-P", path]);
    const what = ["-e", `trace=${calls}`, "-e", `inject=${calls}:${fails}`];
    const argv = ["-f", "-p", String(pid), "-o", "/dev/null", ...files, ...what];
    const made = new Injection(spawn("strace", argv, { stdio: ["ignore", "ignore", "pipe"] }));
    const lines = createInterface({ input: made.#strace.stderr as NonNullable<ChildProcess["stderr"]> });
    for await (const line of lines) {
      if (line.includes(`Process ${pid} attached`)) return made;
    }
    throw new Error("strace ended before it was attached");
  }

  /** end lets the calls work again: strace lets go of a process when it is interrupted. */
  async end(): Promise<void> {
    this.#strace.kill("SIGINT");
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
