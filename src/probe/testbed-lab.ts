import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeFault, runCommand } from "#life";
import type { ProberOrder } from "./testbed-process.ts";

/** Two network namespaces joined by a veth pair, and probers in them: for host tests and measurements. Needs root. All
 *  names contain the process id; close() removes everything. */

/** A line that a prober process wrote. */
export type Said = { readonly kind: string } & Readonly<Record<string, unknown>>;

export interface LabProber {
  readonly child: ChildProcess;
  order(order: ProberOrder): void;
  /** next is the next line of a kind that is written after the call. */
  next(kind: string): Promise<Said>;
}

export class ProbeLab {
  readonly left: string;
  readonly right: string;
  /** The veth's name at both ends. */
  readonly link = "eth0";
  readonly leftAddress = "192.0.2.1";
  readonly rightAddress = "192.0.2.2";
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.left = `mrd-probe-${name}-${process.pid}-l`;
    this.right = `mrd-probe-${name}-${process.pid}-r`;
  }

  async open(): Promise<void> {
    await must("ip", "netns", "add", this.left);
    await must("ip", "netns", "add", this.right);
    for (const ns of [this.left, this.right]) await must("ip", "-n", ns, "link", "set", "lo", "up");
    await this.connect();
  }

  /** connect makes the veth pair; cutting it and connecting again gives its ends new interface indexes. */
  async connect(): Promise<void> {
    const peer = ["peer", "name", this.link, "netns", this.right];
    await must("ip", "-n", this.left, "link", "add", this.link, "type", "veth", ...peer);
    await this.#address(this.left, this.leftAddress);
    await this.#address(this.right, this.rightAddress);
  }

  async disconnect(): Promise<void> {
    await must("ip", "-n", this.left, "link", "del", this.link);
  }

  /** inside runs a program in a namespace and gives its stdout. */
  inside(ns: string, ...argv: readonly string[]): Promise<string> {
    return must("ip", "netns", "exec", ns, ...argv);
  }

  /** keep starts a program in a namespace that runs until close(). */
  keep(ns: string, ...argv: readonly string[]): ChildProcess {
    const child = spawn("ip", ["netns", "exec", ns, ...argv], { stdio: ["pipe", "pipe", "ignore"] });
    this.#children.push(child);
    return child;
  }

  async prober(ns: string, address: string, mode: "ffi" | "dgram" = "ffi"): Promise<LabProber> {
    const file = fileURLToPath(new URL("./testbed-process.ts", import.meta.url));
    const child = this.keep(ns, process.execPath, file, JSON.stringify({ address, port: 7946, mode }));
    const heard: { readonly kind: string; readonly tell: (said: Said) => void }[] = [];
    if (child.stdout === null || child.stdin === null) throw new Error("a kept program has pipes");
    const { stdin } = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as Said;
      for (const one of heard.filter(({ kind }) => kind === said.kind)) {
        heard.splice(heard.indexOf(one), 1);
        one.tell(said);
      }
    });
    const next = (kind: string): Promise<Said> => new Promise((tell) => heard.push({ kind, tell }));
    await next("started");
    return { child, next, order: (order) => void stdin.write(`${JSON.stringify(order)}\n`) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(end));
    for (const ns of [this.left, this.right]) await runCommand(["ip", "netns", "del", ns]);
  }

  async #address(ns: string, address: string): Promise<void> {
    await must("ip", "-n", ns, "addr", "add", `${address}/24`, "dev", this.link);
    await must("ip", "-n", ns, "link", "set", this.link, "up");
  }
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

async function must(...argv: readonly string[]): Promise<string> {
  const result = await runCommand(argv);
  if (!result.ok) throw new Error(describeFault(result.error));
  return result.value;
}
