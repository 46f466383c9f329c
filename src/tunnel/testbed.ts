import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describeFault, runCommand } from "#life";
import type { Ip, TunnelKey } from "#values";
import { loadTunnelKey } from "./tunnel-key.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";

/** The newest wireguard-go where `make wireguard-go` built it, else Debian's. */
const NEWEST = fileURLToPath(new URL("../../build/wireguard-go", import.meta.url));
export const WIREGUARD_GO = existsSync(NEWEST) ? NEWEST : "/usr/bin/wireguard-go";

/** Request to a daemon of the testbed; the answer is what the method of that name gives. */
export type Request =
  | { readonly do: "reconcile"; readonly plan: TunnelPlan }
  | { readonly do: "status" | "teardown" | "troubles" | "made" };

/** must runs a program and gives its stdout; a failure fails the test. */
export async function must(...argv: readonly string[]): Promise<string> {
  const done = await runCommand(argv);
  if (!done.ok) throw new Error(describeFault(done.error));
  return done.value;
}

/** Host is a machine of the testbed: a network namespace with its own /var/run/wireguard, and a link to the underlay. */
export interface Host {
  readonly name: string;
  /** Its address on the underlay. */
  readonly ip: Ip;
  readonly dataDir: string;
  readonly publicKey: TunnelKey;
  /** argv that runs something on the host. */
  on(...argv: readonly string[]): readonly string[];
  run(...argv: readonly string[]): Promise<string>;
}

/** Testbed is hosts on a bridge, 172.31.77.1 and fd77::1 and on. Names hold the pid; close removes everything. */
export class Testbed {
  readonly #bridge: string;
  /** What was begun, so that a failure half way leaves nothing either. */
  readonly #namespaces: string[] = [];
  readonly #folders: string[] = [];
  readonly #holders: ChildProcess[] = [];
  readonly #daemons: Daemon[] = [];

  private constructor(bridge: string) {
    this.#bridge = bridge;
  }

  /** open makes the bridge; every test has a testbed of its own. */
  static async open(): Promise<Testbed> {
    const bridge = `mtt${process.pid}`;
    const bed = new Testbed(bridge);
    await bed.#namespace(bridge);
    await must("ip", "-n", bridge, "link", "add", "br0", "type", "bridge");
    await must("ip", "-n", bridge, "link", "set", "br0", "up");
    return bed;
  }

  async #namespace(name: string): Promise<void> {
    this.#namespaces.push(name);
    await must("ip", "netns", "add", name);
  }

  /** host adds a machine with an uplink and a default route by it, so that a leak would have a way out. */
  async host(): Promise<Host> {
    const k = this.#namespaces.length;
    const name = `${this.#bridge}h${k}`;
    await this.#namespace(name);
    const holder = spawn("ip", ["netns", "exec", name, "unshare", "--mount", "--propagation", "private", "cat"], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#holders.push(holder);
    const on = (...argv: readonly string[]): readonly string[] => [
      "nsenter",
      `--net=/run/netns/${name}`,
      `--mount=/proc/${holder.pid}/ns/mnt`,
      ...argv,
    ];
    const dataDir = await mkdtemp(join(tmpdir(), `${name}-`));
    this.#folders.push(dataDir);
    const key = await loadTunnelKey(dataDir);
    if (!key.ok) throw new Error(key.error);
    const ip = `172.31.77.${k}` as Ip;
    const host: Host = {
      name,
      ip,
      dataDir,
      publicKey: key.value,
      on,
      run: (...argv) => must(...on(...argv)),
    };
    await ownMount(host, holder);
    await this.#wire(host, k);
    return host;
  }

  /** wire joins a host to the bridge. Its default route leads to nobody: what takes it was leaked. */
  async #wire({ name, ip, run }: Host, k: number): Promise<void> {
    await must("ip", "-n", this.#bridge, "link", "add", `v${k}`, "type", "veth", "peer", "name", "eth0", "netns", name);
    await must("ip", "-n", this.#bridge, "link", "set", `v${k}`, "master", "br0", "up");
    await run("ip", "link", "set", "lo", "up");
    await run("ip", "addr", "add", `${ip}/24`, "dev", "eth0");
    await run("ip", "addr", "add", `fd77::${k}/64`, "dev", "eth0", "nodad");
    await run("ip", "link", "set", "eth0", "up");
    await run("ip", "route", "add", "default", "via", "172.31.77.254");
  }

  /** daemon starts a tunnel daemon on a host. */
  daemon(host: Host): Daemon {
    const daemon = new Daemon(host);
    this.#daemons.push(daemon);
    return daemon;
  }

  async close(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()));
    const pids = await Promise.all(this.#namespaces.map((name) => must("ip", "netns", "pids", name).catch(() => "")));
    for (const pid of pids.join("\n").split("\n").filter(Boolean)) endProcess(Number(pid));
    await Promise.all(this.#holders.map(ended));
    for (const name of this.#namespaces) await must("ip", "netns", "del", name).catch(() => "");
    for (const folder of this.#folders) await rm(folder, { recursive: true });
  }
}

/** endProcess is for what lives in a namespace of ours: daemons, wireguard-go, holders. */
function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {} // it has ended by itself
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** ownMount waits for the holder's mount namespace and gives the host its own /run: control sockets lie there, and
 *  two hosts of one machine would otherwise share the socket of mrd0. */
async function ownMount(host: Host, holder: ChildProcess): Promise<void> {
  const here = await must("readlink", "/proc/self/ns/mnt");
  while (holder.exitCode === null) {
    const exe = await must("readlink", `/proc/${holder.pid}/exe`);
    if (exe.trim().endsWith("cat") && (await must("readlink", `/proc/${holder.pid}/ns/mnt`)) !== here) break;
  }
  await host.run("mount", "-t", "tmpfs", "tmpfs", "/run");
}

/** Daemon is one run of testbed-daemon.ts on a host. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  constructor(host: Host) {
    const script = fileURLToPath(new URL("./testbed-daemon.ts", import.meta.url));
    const [program = "", ...args] = host.on(process.execPath, script, host.dataDir, WIREGUARD_GO);
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout ?? process.stdin);
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** ask sends one request and gives its answer. */
  async ask<T>(request: Request): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("the daemon ended");
    return JSON.parse(value) as T;
  }

  /** end closes its stdin, on which it stops cleanly; gives the exit code. */
  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    await ended(this.#child);
    return this.#child.exitCode;
  }

  /** kill is `kill -9`. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await ended(this.#child);
    this.#lines.close();
  }
}
