import {
  demand,
  installIn,
  KUBE_PODS,
  type KubeCluster,
  type KubeSet,
  keepRun,
  listAllocations,
  type NodeTools,
  pageFrom,
  prefixesFrom,
  type Run,
  raiseKubeSet,
  take,
  uninstallIn,
} from "#lab";
import { expect, parseIp, swapPrefix } from "#values";
import { buildImage } from "../deploy/image/build-image.ts";
import { renderClient, renderHeadless, renderNamespace, renderShop } from "./kube-objects.ts";
import type { Teller } from "./teller.ts";

export interface KubeClusters {
  /** Leave everything up at the end, and say what to try. */
  readonly keep: boolean;
  readonly tools: NodeTools;
}

const WEB = "web.shop.svc.clusterset.local";
const LEDGER = "ledger.shop.svc.clusterset.local";
const DB = "db-0.amber.db.shop.svc.clusterset.local";

/** kubeClusters raises two real clusters, installs the program in both by its own command, and tells what pods see. */
export async function kubeClusters(run: Run, teller: Teller, { keep, tools }: KubeClusters): Promise<void> {
  const set = await raise(run, teller, tools);
  await tellInstall(set, teller);
  await tellName(set, teller);
  await tellHeadless(set, teller);
  await tellReverse(set, teller);
  if (keep) return tellKept(run, set, teller);
  await tellUninstall(set, teller);
}

async function raise(run: Run, teller: Teller, tools: NodeTools): Promise<KubeSet> {
  teller.chapter("Two Kubernetes clusters with the same addresses");
  teller.say("building the image of this checkout");
  const image = take(await buildImage(() => {}));
  teller.say(
    "amber has two nodes, birch one; each has etcd, API server, controllers, kubelets, kube-proxy and CoreDNS",
  );
  const set = await raiseKubeSet(run, tools, image);
  for (const cluster of [set.amber, set.birch]) {
    teller.show(cluster.name, await cluster.kubectl(["get", "nodes", "-o", "wide", "--no-headers"]));
  }
  teller.proved(`pods of both are in ${KUBE_PODS}`);
  return set;
}

async function tellInstall(set: KubeSet, teller: Teller): Promise<void> {
  teller.chapter("meridian install, in each");
  teller.show("in amber", take(await installIn(set, set.amber, ["--gateway-node", "amber-1"])));
  teller.show("in birch", take(await installIn(set, set.birch)));
  teller.proved("a gateway in each, and amber's other node, as pods that may do nothing but what they need");
}

/** By the name that the cluster's own DNS has from the gateway, the ClusterIP that its own kube-proxy balances, and
 *  the tunnel: the server must see the client's pod. */
async function tellName(set: KubeSet, teller: Teller): Promise<void> {
  const { amber, birch } = set;
  teller.chapter("A pod of birch asks for a Service of amber");
  await apply(amber, [renderNamespace(), renderShop("web", 2)]);
  await apply(birch, [renderNamespace(), renderClient()]);
  await ready(amber, "deployment/web");
  await ready(birch, "pod/client");
  take(await pageFrom(birch, "client", `http://${WEB}/hostname`));
  const import_ = ["get", "-n", "shop", "serviceimports,services,endpointslices", "--no-headers"];
  teller.show("birch has", await birch.kubectl(import_));
  teller.show(WEB, take(await birch.execIn("client", ["dig", "+short", WEB], { namespace: "shop" })));
  await seen(set, teller, { from: birch, url: `http://${WEB}/clientip` });
  const pods = new Set<string>();
  for (let i = 0; i < 60 && pods.size < 2; i += 1)
    pods.add(take(await pageFrom(birch, "client", `http://${WEB}/hostname`)));
  demand(pods.size === 2, `both pods of amber answer, one on each node: only ${[...pods].join()}`);
  teller.proved(`${[...pods].sort().join(" and ")} answer: one on the gateway's node, one on the other`);
}

async function tellHeadless(set: KubeSet, teller: Teller): Promise<void> {
  teller.chapter("A pod by its own name");
  await apply(set.amber, [renderHeadless()]);
  await ready(set.amber, "pod/db-0");
  await seen(set, teller, { from: set.birch, url: `http://${DB}:8080/clientip` });
}

async function tellReverse(set: KubeSet, teller: Teller): Promise<void> {
  const { amber, birch } = set;
  teller.chapter("The reverse, and inside a cluster");
  await apply(birch, [renderShop("ledger", 1)]);
  await apply(amber, [renderClient("client", "amber-2"), renderClient("near", "amber-1")]);
  await ready(birch, "deployment/ledger");
  for (const pod of ["client", "near"]) {
    await ready(amber, `pod/${pod}`);
    await seen(set, teller, { from: amber, pod, url: `http://${LEDGER}/clientip` });
  }
  const own = take(await pageFrom(amber, "client", `http://${WEB}/clientip`));
  const address = await addressOf(amber, "client");
  demand(own.startsWith(`${address}:`), `inside amber the server sees the pod itself, ${address}: ${own}`);
  teller.proved(`inside amber the same name leads to its own pods, which see ${address}`);
}

/** seen asks from the client of a cluster; the server must see the global address of that pod. */
async function seen(
  { broker }: KubeSet,
  teller: Teller,
  { from, pod = "client", url }: { readonly from: KubeCluster; readonly pod?: string; readonly url: string },
): Promise<void> {
  const page = take(await pageFrom(from, pod, url));
  const own = prefixesFrom(await listAllocations(broker), ["amber", "birch"]).get(from.name);
  demand(own !== undefined, `${from.name} has a prefix`);
  const address = expect(parseIp(await addressOf(from, pod)));
  const global = swapPrefix(address, KUBE_PODS, own.pods);
  demand(page.startsWith(`${global}:`), `${url}: the server sees ${from.name}'s pod ${address} as ${global}: ${page}`);
  teller.proved(`${url.replace("/clientip", "")}: the server sees ${from.name}'s pod ${address} as ${global}`);
}

async function tellUninstall(set: KubeSet, teller: Teller): Promise<void> {
  teller.chapter("meridian uninstall");
  teller.show("in amber", take(await uninstallIn(set, set.amber, ["--with-exports"])));
  const kinds = "crd,clusterrole,clusterrolebinding,namespace,daemonset,endpointslice";
  const left = await set.amber.kubectl(["get", kinds, "-A", "-o", "name"]);
  const ours = left.split("\n").filter((name) => /meridian|multicluster|about\.k8s|imported-|derived-/.test(name));
  demand(ours.length === 0, `nothing of ours is left: ${ours.join(", ")}`);
  teller.proved("amber has no object of ours");
}

async function tellKept(run: Run, { amber, birch, broker }: KubeSet, teller: Teller): Promise<void> {
  await keepRun(run);
  teller.chapter("Everything stays up. To try");
  for (const { name, kubeconfig } of [amber, birch]) {
    teller.say(`${name}: nsenter -t ${broker.place.pid} -n -m -u -- kubectl --kubeconfig ${kubeconfig} get pods -A`);
  }
  teller.say("and to remove it: make demo DOWN=1");
}

async function apply(cluster: KubeCluster, objects: readonly string[]): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], { stdin: objects.join("---\n") });
}

async function ready(cluster: KubeCluster, what: string): Promise<void> {
  const condition = what.startsWith("pod/") ? "Ready" : "Available";
  const wait = ["wait", "-n", "shop", `--for=condition=${condition}`, what, "--timeout=60s"];
  await cluster.kubectl(wait, { timeoutMs: 70_000 });
}

function addressOf(cluster: KubeCluster, pod: string): Promise<string> {
  return cluster.kubectl(["get", "-n", "shop", "pod", pod, "-o", "jsonpath={.status.podIP}"]);
}
