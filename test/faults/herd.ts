import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Scene } from "./scene.ts";

const MEMBERS = fileURLToPath(new URL("./herd-members.ts", import.meta.url));

/** HerdAsk is what a process of members is told. */
export interface HerdAsk {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  /** Number of its first member: names and addresses go by it. */
  readonly first: number;
  readonly members: number;
}

/** Returned is how a herd came back. */
export interface Returned {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Times that somebody dialed. */
  readonly tries: number;
}

/** Processes that a herd is spread over: in a single one all members would take each step at the same moment, which hosts
 *  of their own do not. */
const PARTS = 5;

/** Part is one of them. */
interface Part {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

/** Herd is members without a conscience for anything but coming back, in processes of their own. */
export class Herd implements AsyncDisposable {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** joined returns when all of them are members. */
  static async joined({ broker, dir }: Scene, members: number): Promise<Herd> {
    const token = await broker.invite("--uses", String(members));
    const parts = Array.from({ length: PARTS }, (_, part): Part => {
      const [first, end] = [part, part + 1].map((n) => Math.floor((n * members) / PARTS)) as [number, number];
      const ask: HerdAsk = { url: broker.url, ca: broker.ca, token, first, members: end - first };
      const file = join(dir, `herd-${part}.json`);
      writeFileSync(file, JSON.stringify(ask), { mode: 0o600 });
      // They stand for hosts of their own: what they take must not be taken from the broker's.
      const child = spawn("nice", ["-n", "15", process.execPath, MEMBERS, file], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    });
    const herd = new Herd(parts);
    await herd.#said();
    return herd;
  }

  /** lost has every session end at once, and gives how all of them came back. */
  async lost(): Promise<Returned> {
    for (const { child } of this.#parts) child.stdin?.write("\n");
    const returned = (await this.#said()) as readonly Returned[];
    return {
      firstMs: Math.min(...returned.map(({ firstMs }) => firstMs)),
      lastMs: Math.max(...returned.map(({ lastMs }) => lastMs)),
      tries: returned.reduce((sum, { tries }) => sum + tries, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#parts.map(async ({ child }) => {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }),
    );
  }

  /** The next line of every part. */
  #said(): Promise<readonly unknown[]> {
    return Promise.all(
      this.#parts.map(async ({ lines }) => {
        const line = await lines.next();
        if (line.done) throw new Error("a part of the herd ended");
        return JSON.parse(line.value) as unknown;
      }),
    );
  }
}
