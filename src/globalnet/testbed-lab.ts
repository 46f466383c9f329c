import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type CommandFault, runCommand } from "#life";
import type { Result } from "#values";

/** HostLab is network namespaces and processes for tests: what it made it removes, also after a failure. */
export class HostLab {
  readonly #prefix: string;
  readonly #spaces: string[] = [];
  readonly #children: ChildProcess[] = [];

  /** The prefix must be unique among what runs on the host, and short. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** space makes a namespace with a loopback and returns its name. */
  async space(name: string): Promise<string> {
    const full = `${this.#prefix}-${name}`;
    must(await runCommand(["ip", "netns", "add", full]));
    this.#spaces.push(full);
    await this.ip(full, ["link set lo up"]);
    return full;
  }

  /** ip runs lines of `ip -batch` in a namespace. */
  async ip(space: string, lines: readonly string[]): Promise<void> {
    must(await runCommand(["ip", "-n", space, "-batch", "-"], { stdin: `${lines.join("\n")}\n` }));
  }

  async sysctl(space: string, settings: readonly string[]): Promise<void> {
    must(await runCommand(["ip", "netns", "exec", space, "sysctl", "-qw", ...settings]));
  }

  /** serve starts a Node script that says `ready` when it serves. */
  async serve(space: string, script: string, ...args: readonly string[]): Promise<void> {
    const child = spawn("ip", ["netns", "exec", space, process.execPath, "-e", script, "--", ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    await once(child.stdout, "data");
  }

  /** run runs a Node script to its end and gives what it printed. */
  async run(space: string, script: string, ...args: readonly string[]): Promise<string> {
    const argv = ["ip", "netns", "exec", space, process.execPath, "-e", script, "--", ...args];
    return must(await runCommand(argv)).trim();
  }

  /** tracked waits until the namespace tracks a UDP flow to an address that was answered. */
  async tracked(space: string, address: string): Promise<void> {
    const argv = ["ip", "netns", "exec", space, "conntrack", "-L", "-p", "udp", "--orig-dst", address];
    while (!/dst=.*src=/.test(answered(must(await runCommand(argv)))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#children.filter((child) => child.exitCode === null).map((child) => once(child, "exit"));
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(ends);
    for (const space of this.#spaces) await runCommand(["ip", "netns", "delete", space]);
  }
}

/** must takes a command's output; a test cannot go on without it. */
export function must(result: Result<string, CommandFault>): string {
  if (!result.ok) throw new Error(`${result.error.argv.join(" ")}: ${result.error.stderr}`);
  return result.value;
}

/** answered is the lines of a conntrack listing that have seen both directions. */
function answered(listing: string): string {
  const lines = listing.split("\n").filter((line) => !line.includes("[UNREPLIED]"));
  return lines.join("\n");
}
