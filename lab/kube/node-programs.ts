import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeFault } from "#life";
import { type Cidr, err, type Ip, ok, type Result } from "#values";
import { exec } from "../exec.ts";
import type { Job } from "../job.ts";
import { tailOf, untilReady } from "../until-ready.ts";
import type { ClusterApi } from "./cluster-api.ts";
import { type KubeNode, startOn } from "./kube-node.ts";
import { renderContainerd, renderKubelet, renderKubeProxy } from "./node-files.ts";
import type { NodeTools } from "./node-tools.ts";

const IMPORT_MS = 120_000;
/** Whether overlayfs stands on the file system of a folder: it does not on another overlayfs. */
const TRY_OVERLAY =
  'cd "$0" && mkdir -p l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w overlay m && umount m';

/** ContainerRuntime is a node's containerd. */
export interface ContainerRuntime {
  /** take gives it an image. Throws when it refuses. */
  take(archive: string): Promise<void>;
}

/** startContainerd starts a node's container runtime. */
export async function startContainerd(node: KubeNode): Promise<ContainerRuntime> {
  const trial = join(node.folder, "overlay");
  await mkdir(trial);
  const snapshotter = (await exec(node, ["sh", "-c", TRY_OVERLAY, trial])).ok ? "overlayfs" : "native";
  const file = join(node.folder, "containerd.toml");
  await writeFile(file, renderContainerd(snapshotter));
  const job = await startOn(node, "containerd", ["containerd", "--config", file]);
  await untilReady(job, () => ctr(node, ["version"]));
  const take = async (archive: string): Promise<void> => {
    const done = await ctr(node, ["-n", "k8s.io", "images", "import", "--snapshotter", snapshotter, archive]);
    if (!done.ok) throw new Error(`${node.name} does not take ${archive}: ${done.error}\n${await tailOf(job)}`);
  };
  return { take };
}

/** startKubelet starts a node's kubelet, and waits for nothing. */
export async function startKubelet(node: KubeNode, api: ClusterApi, tools: NodeTools, clusterDns: Ip): Promise<Job> {
  const file = join(node.folder, "kubelet.json");
  await writeFile(file, renderKubelet(clusterDns));
  return startOn(node, "kubelet", [
    tools.kubelet,
    `--config=${file}`,
    `--kubeconfig=${api.kubeconfigOf(`system:node:${node.name}`)}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
  ]);
}

/** startKubeProxy starts a node's kube-proxy, and waits until the Services that there are have their rules. */
export async function startKubeProxy(node: KubeNode, api: ClusterApi, tools: NodeTools, podCidr: Cidr): Promise<Job> {
  const file = join(node.folder, "kube-proxy.json");
  await writeFile(file, renderKubeProxy(node.name, podCidr, api.kubeconfigOf("system:kube-proxy")));
  const job = await startOn(node, "kube-proxy", [tools.kubeProxy, `--config=${file}`]);
  await untilReady(job, async () => {
    const said = await exec(node, ["curl", "-sf", "http://127.0.0.1:10256/healthz"]);
    return said.ok ? said : err("it is not healthy");
  });
  return job;
}

/** ctr asks a node's containerd, which listens at a path that only the node has. */
async function ctr(node: KubeNode, args: readonly string[]): Promise<Result<void>> {
  const address = `/proc/${node.init}/root/run/containerd/containerd.sock`;
  const done = await exec(node, ["ctr", "--address", address, ...args], { timeoutMs: IMPORT_MS });
  return done.ok ? ok(undefined) : err(describeFault(done.error));
}
