import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cidr, err, expect, ok, parseCidr, type Result } from "#values";
import { eventually } from "../eventually.ts";
import { exec } from "../exec.ts";
import { type Daemon, invite, PROGRAM, startBroker } from "../program.ts";
import type { Run } from "../run.ts";
import { createUnderlay } from "../underlay.ts";
import { type KubeCluster, type KubeClusterSpec, raiseKubeCluster } from "./kube-cluster.ts";
import type { NodeTools } from "./node-tools.ts";

/** All clusters have the same networks unless told: that they reach each other all the same is the point. */
export const KUBE_PODS: Cidr = expect(parseCidr("10.244.0.0/16"));
const KUBE_SERVICES: Cidr = expect(parseCidr("10.96.0.0/16"));
const EQUAL: KubeNetworks = { podCidr: KUBE_PODS, serviceCidr: KUBE_SERVICES };

/** KubeNetworks are the networks of one cluster. */
export type KubeNetworks = Pick<KubeClusterSpec, "podCidr" | "serviceCidr">;
/** An installation waits for its gateways as long as it is told, three minutes unless told. */
const INSTALL_MS = 300_000;

/** KubeSet is two whole clusters on one underlay, amber with two nodes and birch with one, and a broker beside them. */
export interface KubeSet {
  readonly broker: Daemon;
  readonly amber: KubeCluster;
  readonly birch: KubeCluster;
}

/** raiseKubeSet raises both clusters at once and gives them an image; nothing is installed. */
export async function raiseKubeSet(
  run: Run,
  tools: NodeTools,
  image: string,
  networks: { readonly amber: KubeNetworks; readonly birch: KubeNetworks } = { amber: EQUAL, birch: EQUAL },
): Promise<KubeSet> {
  const underlay = await createUnderlay(run);
  const [amber, birch] = await Promise.all([
    raiseKubeCluster(underlay, { name: "amber", index: 1, nodes: 2, tools, ...networks.amber }),
    raiseKubeCluster(underlay, { name: "birch", index: 2, tools, ...networks.birch }),
  ]);
  await Promise.all([amber, birch].map((cluster) => cluster.importImage(image)));
  return { amber, birch, broker: await startBroker(underlay) };
}

/** installIn has the program install itself in a cluster, with a token that was just made; under the cluster's name
 *  unless told. Gives what it said on the way; the error is that with its fault. */
export async function installIn(
  { broker }: KubeSet,
  { name: own, kubeconfig, podCidr }: KubeCluster,
  flags: readonly string[] = [],
  name = own,
): Promise<Result<string>> {
  const file = join(broker.place.run.folder, "data", `${name}.token`);
  await writeFile(file, await invite(broker, ["--cluster", name]), { mode: 0o600 });
  const pods = ["--pod-cidr", podCidr];
  return call(broker, [
    "install",
    "--kubeconfig",
    kubeconfig,
    "--cluster",
    name,
    "--join-token-file",
    file,
    ...pods,
    ...flags,
  ]);
}

/** uninstallIn has it take itself away. */
export function uninstallIn(
  { broker }: KubeSet,
  { kubeconfig }: KubeCluster,
  flags: readonly string[] = [],
): Promise<Result<string>> {
  return call(broker, ["uninstall", "--kubeconfig", kubeconfig, ...flags]);
}

/** All that a command says, where it succeeds and where it does not. */
const WHOLE = 'said=$("$@" 2>&1) && { echo "$said"; exit 0; }; code=$?; echo "$said" >&2; exit $code';

/** An operator's host, here the broker's, reaches the API servers and the broker. */
async function call({ place }: Daemon, args: readonly string[]): Promise<Result<string>> {
  const said = await exec(place, ["sh", "-c", WHOLE, "sh", PROGRAM, ...args], { timeoutMs: INSTALL_MS });
  return said.ok ? said : err(said.error.stderr);
}

/** pageFrom fetches a page from inside a pod, once it answers. */
export function pageFrom(cluster: KubeCluster, pod: string, url: string): Promise<Result<string>> {
  return eventually(
    async () => {
      const got = await cluster.execIn(pod, ["curl", "-sS", "--max-time", "2", url], { namespace: "shop" });
      return got.ok ? ok(got.value) : err(`${url} from ${cluster.name}: ${got.error.trim()}`);
    },
    { timeoutMs: 30_000 },
  );
}
