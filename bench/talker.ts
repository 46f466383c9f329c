import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { inside, type Place } from "#lab";

/** Heard is a line of a program, and when it came (performance.now()). */
export interface Heard {
  readonly line: string;
  readonly at: number;
}

/** Talker is a program in a place whose lines are stamped as they come; it is ended with the run. */
export class Talker {
  readonly child: ChildProcess;
  readonly #wanted = new Set<{ readonly wants: (line: string) => boolean; readonly tell: (heard: Heard) => void }>();

  /** The end of what it said on stderr: why it may be silent. */
  #complaint = "";

  constructor(place: Place, argv: readonly string[]) {
    const [program = "", ...rest] = inside(place, argv);
    this.child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stderr?.on("data", (said) => {
      this.#complaint = `${this.#complaint}${said}`.slice(-500);
    });
    const lines = createInterface({ input: this.child.stdout as NonNullable<ChildProcess["stdout"]> });
    lines.on("line", (line) => this.#hear({ line, at: performance.now() }));
  }

  /** The program's own number: nsenter and sh are replaced by it. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** next is the first line after the call that is wanted. */
  next(wants: (line: string) => boolean, within = 60_000): Promise<Heard> {
    const { promise, resolve, reject } = Promise.withResolvers<Heard>();
    const wanted = { wants, tell: resolve };
    this.#wanted.add(wanted);
    const late = setTimeout(
      () => reject(new Error(`${this.child.spawnargs.at(-1)}: nothing heard. ${this.#complaint}`)),
      within,
    );
    return promise.finally(() => {
      clearTimeout(late);
      this.#wanted.delete(wanted);
    });
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  #hear(heard: Heard): void {
    for (const wanted of [...this.#wanted]) if (wanted.wants(heard.line)) wanted.tell(heard);
  }
}
