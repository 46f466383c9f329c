import { access, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { err, ok, type Result } from "#values";
import { type ExtraProgram, missingPrograms, requirePrograms } from "../require.ts";
import { findCoreDns } from "./coredns.ts";
import { buildPrograms, KUBERNETES_FOLDER, type KubeProgram } from "./go-module.ts";
import { buildHelm } from "./helm.ts";
import { archiveOf, buildImage, IMAGES, type ImageName } from "./images.ts";
import { buildKubeTools, findKubeTools, type KubeTools } from "./tools.ts";

/** NodeTools is what whole clusters are made of: a control plane, and what runs on every node. */
export interface NodeTools extends KubeTools {
  readonly scheduler: string;
  readonly kubelet: string;
  readonly kubeProxy: string;
  /** Archives of all IMAGES. */
  readonly images: readonly string[];
}

const AGNHOST: KubeProgram = { name: "agnhost", path: "test/images/agnhost" };
const PROGRAMS: readonly KubeProgram[] = [
  ...["kube-scheduler", "kubelet", "kube-proxy"].map((name) => ({ name, path: `cmd/${name}` })),
  AGNHOST,
];
const [SCHEDULER = "", KUBELET = "", KUBE_PROXY = "", AGNHOST_FILE = ""] = PROGRAMS.map(({ name }) =>
  join(KUBERNETES_FOLDER, name),
);

const IMAGE_FOLDER = join(KUBERNETES_FOLDER, "images");
const IMAGE_NAMES = Object.keys(IMAGES) as ImageName[];
const ARCHIVES = IMAGE_NAMES.map((name) => archiveOf(IMAGE_FOLDER, name));

/** iptables is what the CNI plugins masquerade with. */
const NODE_PROGRAMS: readonly ExtraProgram[] = ["/usr/lib/cni/bridge", "containerd", "curl", "iptables", "runc"];
const BUILD_PROGRAMS: readonly ExtraProgram[] = [...NODE_PROGRAMS, "busybox", "dig", "etcd"];

/** findNodeTools looks for all that a cluster with nodes needs. The error says what to do. */
export async function findNodeTools(): Promise<Result<NodeTools>> {
  if (process.getuid?.() !== 0) return err("nodes need root");
  const plane = await findKubeTools();
  if (!plane.ok) return err(`${plane.error}, then \`make kube-node-tools\``);
  const files = [SCHEDULER, KUBELET, KUBE_PROXY, ...ARCHIVES];
  const there = await Promise.all(files.map(exists));
  const missing = [...files.filter((_, i) => !there[i]), ...(await missingPrograms(NODE_PROGRAMS))];
  if (missing.length > 0) return err(`no Kubernetes with nodes: run \`make kube-node-tools\` (no ${missing[0]})`);
  return ok({ ...plane.value, scheduler: SCHEDULER, kubelet: KUBELET, kubeProxy: KUBE_PROXY, images: ARCHIVES });
}

/** buildNodeTools builds what is missing, and Helm. `say` hears of what takes more than seconds. */
export async function buildNodeTools(say: (line: string) => void): Promise<Result<void>> {
  const plane = await buildKubeTools(say);
  if (!plane.ok) return plane;
  const wanted: KubeProgram[] = [];
  for (const program of PROGRAMS) if (!(await exists(join(KUBERNETES_FOLDER, program.name)))) wanted.push(program);
  const module = join(KUBERNETES_FOLDER, "node-module");
  const built = wanted.length === 0 ? ok(undefined) : await buildPrograms(module, wanted, say);
  if (!built.ok) return built;
  await rm(module, { recursive: true, force: true });
  const helm = await buildHelm(say);
  if (!helm.ok) return helm;
  const coredns = await findCoreDns(say);
  if (!coredns.ok) return coredns;
  await mkdir(IMAGE_FOLDER, { recursive: true });
  for (const name of IMAGE_NAMES) {
    if (await exists(archiveOf(IMAGE_FOLDER, name))) continue;
    const image = await buildImage(IMAGE_FOLDER, name, { agnhost: AGNHOST_FILE, coredns: coredns.value });
    if (!image.ok) return image;
  }
  return ok(undefined);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

// `make kube-node-tools` runs this file.
if (import.meta.main) {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await requirePrograms(say, BUILD_PROGRAMS);
  const built = programs.ok ? await buildNodeTools(say) : programs;
  if (!built.ok) {
    process.stderr.write(`make kube-node-tools: ${built.error}\n`);
    process.exitCode = 1;
  }
}
