import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandFault, describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";
import { type Cluster, type ClusterNode, firstNode } from "./cluster.ts";
import { type ExecOptions, exec } from "./exec.ts";
import { type Job, spawnIn, waitForLine } from "./job.ts";
import { manifestFolder } from "./manifests.ts";
import type { Place } from "./place.ts";
import { UNDERLAY_ADDRESS } from "./underlay.ts";

/** Daemon is a broker or a gateway: where it runs and by which folder its verbs find it. */
export interface Daemon {
  readonly place: Place;
  readonly data: string;
  readonly job: Job;
}

export interface GatewayOptions {
  /** A join token; none for a start with what is on disk. */
  readonly token?: string;
  /** Number of the node, 1 unless told. */
  readonly node?: number;
  readonly flags?: readonly string[];
  /** Time until it must be ready. */
  readonly timeoutMs?: number;
}

/** The program as users call it, from any working directory. */
export const PROGRAM = fileURLToPath(new URL("../bin/meridian", import.meta.url));
/** Where `make wireguard-go` puts the newest one. */
const BUILT_WIREGUARD = fileURLToPath(new URL("../build/wireguard-go", import.meta.url));
const BROKER_PORT = 7443;
/** Where every daemon serves its own JSON, on the loopback of its place. */
export const HTTP_ADDRESS = "127.0.0.1:9090";

/** startBroker starts a broker in the underlay, where every node can dial it, and waits until it is ready. */
export async function startBroker(underlay: Place, flags: readonly string[] = []): Promise<Daemon> {
  const data = join(underlay.run.folder, "data", "broker");
  const at = `${UNDERLAY_ADDRESS}:${BROKER_PORT}`;
  const own = ["--data", data, "--listen", at, "--advertise", `wss://${at}`, "--http", HTTP_ADDRESS];
  return start(underlay, "broker", ["broker", ...own, ...flags], data, 30_000);
}

/** invite gives a join token of a broker. */
export async function invite(broker: Daemon, flags: readonly string[] = []): Promise<string> {
  const said = await verb(broker, ["invite", ...flags]);
  if (!said.ok) throw new Error(said.error);
  return said.value.trim();
}

/** startGateway starts a gateway on a node of a cluster with every flag that a plain host needs, and waits until it
 *  is ready. Its data stay between starts. */
export async function startGateway(cluster: Cluster, options: GatewayOptions = {}): Promise<Daemon> {
  const { token, node: number = 1, flags = [], timeoutMs = 30_000 } = options;
  const node = cluster.members.find((member) => member.number === number) ?? firstNode(cluster);
  const data = join(node.run.folder, "data", node.name);
  const manifests = await manifestFolder(node, cluster.name);
  const argv = gatewayArgs(cluster, node, { data, manifests });
  const joining = token === undefined ? [] : ["--join-token-file", await writeToken(`${data}.token`, token)];
  const wireguard = await newestWireguard();
  const path = wireguard === undefined ? [] : ["--wireguard-go", wireguard];
  // Several gateways of a cluster are one member: they have one identity, each its own name (that of its host).
  const shared = join(node.run.folder, "data", `${cluster.name}.identity.json`);
  const identity = cluster.members.length > 1 ? ["--identity", shared] : [];
  return start(node, `${node.name}-gateway`, [...argv, ...identity, ...joining, ...path, ...flags], data, timeoutMs);
}

/** startNode starts the program on a node without a gateway, with what a gateway of its cluster wrote, and waits until a
 *  gateway answers it. */
export async function startNode(node: ClusterNode, network: string, flags: readonly string[] = []): Promise<Daemon> {
  const data = join(node.run.folder, "data", node.name);
  const argv = ["node", "--data", data, "--network", network, "--http", HTTP_ADDRESS, ...flags];
  return start(node, `${node.name}-node`, argv, data, 30_000);
}

/** gatewayArgs is the call of a gateway without its token. */
export function gatewayArgs(
  cluster: Pick<Cluster, "name" | "podCidr" | "serviceCidr">,
  node: Pick<ClusterNode, "address">,
  { data, manifests }: { readonly data: string; readonly manifests: string },
): readonly string[] {
  return [
    ...["gateway", "--data", data, "--cluster", cluster.name],
    ...["--pod-cidr", cluster.podCidr, "--service-cidr", cluster.serviceCidr],
    ...["--manifests", manifests, "--endpoint", node.address],
    ...["--dns", `${node.address}:53`, "--dns", "127.0.0.1:53", "--http", HTTP_ADDRESS],
  ];
}

/** verb runs a command of the program beside a daemon, and gives its stdout. */
export async function verb(
  daemon: Daemon,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<Result<string>> {
  const said = await exec(daemon.place, [PROGRAM, ...args, "--data", daemon.data], { timeoutMs: 30_000, ...options });
  return said.ok ? said : err(`meridian ${args.join(" ")} in ${daemon.place.name}: ${reasonOf(said.error)}`);
}

/** verbJson is verb with `-o json`, read. */
export async function verbJson<T>(daemon: Daemon, args: readonly string[]): Promise<Result<T>> {
  const said = await verb(daemon, [...args, "-o", "json"]);
  if (!said.ok) return said;
  try {
    return ok(JSON.parse(said.value) as T);
  } catch {
    return err(`meridian ${args.join(" ")} gives no JSON: ${said.value.slice(0, 80)}`);
  }
}

/** isReadyLine reports whether a line of a log says that the daemon serves. */
export function isReadyLine(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    return (JSON.parse(line) as { readonly msg?: unknown }).msg === "ready";
  } catch {
    return false;
  }
}

/** The log format is given because readiness is read from it; MERIDIAN_ variables of the caller would win otherwise. */
async function start(
  place: Place,
  name: string,
  args: readonly string[],
  data: string,
  timeoutMs: number,
): Promise<Daemon> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  const job = await spawnIn(place, name, [PROGRAM, ...args, "--log-format", "json"]);
  await waitForLine(job, isReadyLine, timeoutMs);
  return { place, data, job };
}

/** newestWireguard is the wireguard-go that was built in this checkout, if it was; else the program looks itself. */
async function newestWireguard(): Promise<string | undefined> {
  return (await runCommand([BUILT_WIREGUARD, "--version"])).ok ? BUILT_WIREGUARD : undefined;
}

/** A token is a secret: it comes by a file that only its owner reads. */
async function writeToken(file: string, token: string): Promise<string> {
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return file;
}

/** What the program itself says is worth more than that it failed: its one line, or the error over a stack. */
function reasonOf(fault: CommandFault): string {
  const lines = fault.stderr.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? describeFault(fault);
}
