import { join } from "node:path";
import { addressAt, type Cidr, err, ok, type Result } from "#values";
import { nodeAddress, nodeRange } from "../cluster.ts";
import { eventually } from "../eventually.ts";
import { type ExecOptions, exec, ipBatch } from "../exec.ts";
import type { Job } from "../job.ts";
import type { Place } from "../place.ts";
import { tailOf } from "../until-ready.ts";
import { type ClusterApi, startClusterApi } from "./cluster-api.ts";
import { renderClusterDns } from "./cluster-dns.ts";
import { createKubeNode, endKubeNode, type KubeNode } from "./kube-node.ts";
import { type ContainerRuntime, startContainerd, startKubelet, startKubeProxy } from "./node-programs.ts";
import type { NodeTools } from "./node-tools.ts";

/** KubeClusterSpec is what tells one cluster from another. */
export interface KubeClusterSpec {
  readonly name: string;
  /** From 1; the first node's address on the underlay is .(10 + index). */
  readonly index: number;
  /** Number of nodes, 1 unless told. */
  readonly nodes?: number;
  readonly podCidr: Cidr;
  readonly serviceCidr: Cidr;
  readonly tools: NodeTools;
}

/** PodExecOptions says which container of which namespace, and how long it may take. */
export interface PodExecOptions extends ExecOptions {
  readonly namespace?: string;
  readonly container?: string;
}

/** KubeCluster is a whole cluster that is up: a control plane on its first node, nodes that run pods, and its DNS. */
export interface KubeCluster {
  readonly name: string;
  readonly nodes: readonly KubeNode[];
  readonly podCidr: Cidr;
  /** File of a user who may do everything. Its server is reached from every place on the underlay. */
  readonly kubeconfig: string;
  /** kubectl runs it as that user, and gives its stdout. Throws with its stderr. */
  kubectl(args: readonly string[], options?: ExecOptions): Promise<string>;
  /** execIn runs a command in a pod. */
  execIn(pod: string, argv: readonly string[], options?: PodExecOptions): Promise<Result<string>>;
  /** importImage gives an archive of an image to every node. */
  importImage(archive: string): Promise<void>;
  /** stop ends all of it and removes what it wrote, but its logs. */
  stop(): Promise<void>;
}

const READY_MS = 240_000;

/** raiseKubeCluster makes a cluster and waits until its nodes are ready and its DNS answers. Throws with the end of the
 *  log that matters, and leaves nothing then. */
export async function raiseKubeCluster(underlay: Place, spec: KubeClusterSpec): Promise<KubeCluster> {
  const nodes: KubeNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.splice(0).map((node) => endKubeNode(underlay, node)));
  };
  try {
    return await raise(underlay, spec, nodes, stop);
  } catch (reason) {
    await stop();
    throw reason;
  }
}

/** `nodes` holds the nodes as they come, so that a failure finds them. */
async function raise(
  underlay: Place,
  spec: KubeClusterSpec,
  nodes: KubeNode[],
  stop: () => Promise<void>,
): Promise<KubeCluster> {
  const { tools, serviceCidr } = spec;
  for (const number of Array.from({ length: spec.nodes ?? 1 }, (_, i) => i + 1)) {
    nodes.push(await createKubeNode(underlay, nodeSpec(spec, number)));
  }
  await routeBetween(nodes);
  const [first] = nodes;
  if (first === undefined) throw new RangeError("a cluster has one node at least");
  const starting = { tools, node: first, nodes: nodes.map(({ name }) => name), from: underlay, serviceCidr };
  const [api, runtimes] = await Promise.all([
    startClusterApi(starting),
    Promise.all(nodes.map((node) => startRuntime(node, tools.images))),
  ]);
  const cluster = new RaisedCluster(underlay, { spec, nodes: [...nodes], api, runtimes, stop });
  await cluster.settle();
  return cluster;
}

interface Parts {
  readonly spec: KubeClusterSpec;
  readonly nodes: readonly KubeNode[];
  readonly api: ClusterApi;
  readonly runtimes: readonly ContainerRuntime[];
  readonly stop: () => Promise<void>;
}

class RaisedCluster implements KubeCluster {
  readonly name: string;
  readonly nodes: readonly KubeNode[];
  readonly podCidr: Cidr;
  readonly kubeconfig: string;
  readonly #underlay: Place;
  readonly #parts: Parts;

  constructor(underlay: Place, parts: Parts) {
    this.name = parts.spec.name;
    this.nodes = parts.nodes;
    this.podCidr = parts.spec.podCidr;
    this.kubeconfig = parts.api.kubeconfigOf("admin");
    this.#underlay = underlay;
    this.#parts = parts;
  }

  async kubectl(args: readonly string[], options: ExecOptions = {}): Promise<string> {
    const done = await this.#ask(args, options);
    if (!done.ok) throw new Error(`kubectl ${args.join(" ")} in ${this.name}: ${done.error}`);
    return done.value;
  }

  async execIn(pod: string, argv: readonly string[], options: PodExecOptions = {}): Promise<Result<string>> {
    const { namespace = "default", container, ...rest } = options;
    const target = [pod, "-n", namespace, ...(container === undefined ? [] : ["-c", container])];
    const stdin = rest.stdin === undefined ? [] : ["-i"];
    return this.#ask(["exec", ...stdin, ...target, "--", ...argv], rest);
  }

  async importImage(archive: string): Promise<void> {
    await Promise.all(this.#parts.runtimes.map((runtime) => runtime.take(archive)));
  }

  stop(): Promise<void> {
    return this.#parts.stop();
  }

  /** settle starts what needs the API server, and waits for all of it. */
  async settle(): Promise<void> {
    const { spec, api } = this.#parts;
    const { tools, podCidr, serviceCidr } = spec;
    const dns = addressAt(serviceCidr, 10n);
    // The namespaces of the system come a moment after the API server is ready.
    const objects = [...this.nodes.map(renderNode), renderClusterDns(dns)].join("---\n");
    const applied = await eventually(() => this.#ask(["apply", "-f", "-"], { stdin: objects, timeoutMs: 30_000 }));
    if (!applied.ok) throw new Error(`${this.name}: ${applied.error}`);
    const kubelets = await Promise.all(this.nodes.map((node) => startKubelet(node, api, tools, dns)));
    await Promise.all(this.nodes.map((node) => startKubeProxy(node, api, tools, podCidr)));
    await this.#await(kubelets, ["wait", "--for=condition=Ready", "node", "--all"]);
    await this.#await(kubelets, ["rollout", "status", "-n", "kube-system", "deployment/coredns"]);
    // Without it no pod is admitted.
    const account = await eventually(() => this.#ask(["get", "serviceaccount", "default"], {}));
    if (!account.ok) throw new Error(`${this.name}: ${account.error}`);
  }

  async #await(kubelets: readonly Job[], args: readonly string[]): Promise<void> {
    const done = await this.#ask([...args, `--timeout=${READY_MS}ms`], { timeoutMs: READY_MS + 10_000 });
    if (done.ok) return;
    const seen = await this.#ask(["get", "nodes,pods,events", "-A", "-o", "wide"], {});
    const tails = await Promise.all(kubelets.map(async (job) => `${job.name}:\n${await tailOf(job)}`));
    throw new Error([`${this.name}: ${done.error}`, seen.ok ? seen.value : seen.error, ...tails].join("\n"));
  }

  /** A cache of its own: kubectl would keep what it learns of a server in the home folder, for ever. */
  async #ask(args: readonly string[], options: ExecOptions): Promise<Result<string>> {
    const cache = `--cache-dir=${join(this.#underlay.run.folder, "data", "kubectl", this.name)}`;
    const command = [this.#parts.spec.tools.kubectl, "--kubeconfig", this.kubeconfig, cache, ...args];
    const done = await exec(this.#underlay, command, { timeoutMs: 30_000, ...options });
    return done.ok ? ok(done.value) : err(done.error.stderr);
  }
}

function nodeSpec({ name, index, podCidr }: KubeClusterSpec, number: number) {
  const [address, podRange] = [nodeAddress(index, number), nodeRange(podCidr, number)];
  return { name: `${name}-${number}`, address, podRange, podCidr };
}

/** The node is there before its kubelet, so that it has the range that its CNI and everybody's routes have; by its labels
 *  the scheduler knows it at once. */
function renderNode({ name, podRange }: KubeNode): string {
  return `apiVersion: v1
kind: Node
metadata: {name: ${name}, labels: {kubernetes.io/os: linux, kubernetes.io/hostname: ${name}}}
spec: {podCIDR: ${podRange}, podCIDRs: [${podRange}]}
`;
}

async function routeBetween(nodes: readonly KubeNode[]): Promise<void> {
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node);
    await ipBatch(node, [...others.map((other) => `route add ${other.podRange} via ${other.address}`), "link show lo"]);
  }
}

/** The images come before the kubelet does: it would try to pull what is not there. */
async function startRuntime(node: KubeNode, images: readonly string[]): Promise<ContainerRuntime> {
  const runtime = await startContainerd(node);
  for (const image of images) await runtime.take(image);
  return runtime;
}
