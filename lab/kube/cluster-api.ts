import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeFault } from "#life";
import { type Cidr, err, ok, type Result } from "#values";
import { exec } from "../exec.ts";
import type { Place } from "../place.ts";
import { untilReady } from "../until-ready.ts";
import { type KubeNode, startOn } from "./kube-node.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import type { NodeTools } from "./node-tools.ts";

export interface ClusterApiSpec {
  readonly tools: NodeTools;
  /** Node that the control plane is on. */
  readonly node: KubeNode;
  /** From where `kubectl` asks. */
  readonly from: Place;
  /** Nodes that there will be; each has an identity of its own. */
  readonly nodes: readonly string[];
  readonly serviceCidr: Cidr;
}

/** ClusterApi is the control plane of a whole cluster: etcd, API server, controller manager and scheduler on its first
 *  node. Everybody is known by a token, and its certificate is its own. */
export interface ClusterApi {
  /** Files of the users: `admin` may do everything, `system:kube-proxy` and `system:node:NAME` what they may anywhere. */
  kubeconfigOf(user: string): string;
}

const ETCD = "http://127.0.0.1:2379";

/** startClusterApi starts it, and waits until the API server answers. */
export async function startClusterApi(spec: ClusterApiSpec): Promise<ClusterApi> {
  const { tools, node, nodes, from } = spec;
  const folder = join(node.folder, "plane");
  const tokens = await writeAccounts(folder, nodes);
  await startOn(node, "etcd", [
    tools.etcd,
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    "--log-level=error",
  ]);
  const api = await startOn(node, "apiserver", apiServerArgv(spec, folder));
  const certificate = join(folder, "certificates", "apiserver.crt");
  await untilReady(api, () => fileIsThere(certificate));
  const authority = { "certificate-authority-data": await readFile(certificate, "base64") };
  const kubeconfigOf = (user: string): string => join(folder, `${user.replaceAll(":", "-")}.kubeconfig`);
  for (const [user, token] of tokens) {
    const text = renderKubeconfig(`https://${node.address}:6443`, authority, token);
    await writeFile(kubeconfigOf(user), text, { mode: 0o600 });
  }
  const admin = kubeconfigOf("admin");
  await untilReady(api, () => answers(from, [tools.kubectl, "--kubeconfig", admin, "get", "--raw", "/readyz"]));
  await startControllers(spec, folder, admin);
  return { kubeconfigOf };
}

function apiServerArgv({ tools, node, serviceCidr }: ClusterApiSpec, folder: string): readonly string[] {
  const key = join(folder, "sa.key");
  return [
    tools.apiserver,
    `--etcd-servers=${ETCD}`,
    "--bind-address=0.0.0.0",
    `--advertise-address=${node.address}`,
    "--secure-port=6443",
    `--cert-dir=${join(folder, "certificates")}`,
    `--service-cluster-ip-range=${serviceCidr}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--allow-privileged=true",
  ];
}

async function startControllers({ tools, node }: ClusterApiSpec, folder: string, admin: string): Promise<void> {
  const common = [
    `--kubeconfig=${admin}`,
    `--authentication-kubeconfig=${admin}`,
    `--authorization-kubeconfig=${admin}`,
    "--bind-address=127.0.0.1",
    "--leader-elect=false",
  ];
  await startOn(node, "controller-manager", [
    tools.controllerManager,
    ...common,
    `--service-account-private-key-file=${join(folder, "sa.key")}`,
    `--root-ca-file=${join(folder, "certificates", "apiserver.crt")}`,
    "--allocate-node-cidrs=false", // the nodes come with theirs
  ]);
  await startOn(node, "scheduler", [tools.scheduler, ...common]);
}

/** writeAccounts writes what the API server knows its users by, and gives their tokens. */
async function writeAccounts(folder: string, nodes: readonly string[]): Promise<ReadonlyMap<string, string>> {
  await mkdir(join(folder, "certificates"), { recursive: true });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(folder, "sa.key"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const groups = new Map([
    ["admin", ",system:masters"],
    ["system:kube-proxy", ""], // its name is enough
    ...nodes.map((name) => [`system:node:${name}`, ",system:nodes"] as const),
  ]);
  const tokens = new Map([...groups.keys()].map((user) => [user, randomBytes(16).toString("hex")]));
  const lines = [...groups].map(([user, group]) => `${tokens.get(user)},${user},${user}${group}`);
  await writeFile(join(folder, "tokens.csv"), `${lines.join("\n")}\n`, { mode: 0o600 });
  return tokens;
}

async function fileIsThere(path: string): Promise<Result<unknown>> {
  const text = await readFile(path, "utf8").catch(() => "");
  // The certificate comes first, then the authority that has signed it.
  return text.split("-----END CERTIFICATE-----").length > 2 ? ok(undefined) : err("it has no certificate yet");
}

async function answers(from: Place, argv: readonly string[]): Promise<Result<unknown>> {
  const said = await exec(from, argv, { timeoutMs: 5000 });
  return said.ok ? said : err(describeFault(said.error));
}
