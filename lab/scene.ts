import { randomBytes } from "node:crypto";
import { type Cidr, expect, type Ip, parseCidr, parseIp } from "#values";
import { type Cluster, createCluster } from "./cluster.ts";
import type { Place } from "./place.ts";
import { addPod, type Pod, runPodServer } from "./pod.ts";
import type { Run } from "./run.ts";
import { installServices, type LabService } from "./service.ts";
import { createUnderlay } from "./underlay.ts";

/** Every cluster of the scene has these: that is its point. */
export const POD_CIDR: Cidr = expect(parseCidr("10.244.0.0/16"));
export const SERVICE_CIDR: Cidr = expect(parseCidr("10.96.0.0/16"));

/** Names of the scene's clusters, in the order of their indices. */
export const CLUSTERS = ["amber", "birch", "cedar"] as const;
export type ClusterName = (typeof CLUSTERS)[number];

/** NAMESPACE holds every Service of the scene. */
export const NAMESPACE = "shop";

/** Scene is three clusters with equal CIDRs, pods with equal addresses, and no program yet:
 *
 *     amber  web-0 .10  db-0 .11      exports web (ClusterIP) and db (headless)
 *     birch  client .10  ledger-0 .11 exports ledger; its CNI masquerades
 *     cedar  web-0 .10                has web too, and exports it when told */
export interface Scene {
  readonly run: Run;
  readonly underlay: Place;
  readonly clusters: Readonly<Record<ClusterName, Cluster>>;
  readonly pods: {
    readonly amberWeb: Pod;
    readonly amberDb: Pod;
    readonly birchClient: Pod;
    readonly birchLedger: Pod;
    readonly cedarWeb: Pod;
  };
  /** A text that stands in every page, and nowhere else. */
  readonly marker: string;
}

/** Address of the web Service inside amber, and of the ledger Service inside birch: the same on purpose. */
export const WEB_CLUSTER_IP: Ip = ip("10.96.0.10");
/** Another address for the same Service in cedar: ClusterIPs of two clusters need not agree. */
const CEDAR_WEB_CLUSTER_IP: Ip = ip("10.96.0.20");

/** raiseScene builds all of it, in about two seconds; cedar may have more nodes than the one that its pod is on. Whoever
 *  calls it sweeps the run, also when it throws. */
export async function raiseScene(run: Run, { cedarNodes = 1 } = {}): Promise<Scene> {
  const underlay = await createUnderlay(run);
  const clusters = await raiseClusters(underlay, cedarNodes);
  const pods = await raisePods(clusters);
  const scene: Scene = { run, underlay, clusters, pods, marker: `readable-${randomBytes(12).toString("hex")}` };
  await Promise.all(Object.values(pods).map((pod) => runPodServer(pod, scene.marker)));
  await installServices(clusters.amber, amberServices(scene));
  await installServices(clusters.birch, birchServices(scene));
  await installServices(clusters.cedar, [cedarWeb(scene, false)]);
  return scene;
}

/** exportCedarWeb makes cedar a second exporter of a Service that amber exports: one more object in one file. */
export async function exportCedarWeb(scene: Scene): Promise<void> {
  await installServices(scene.clusters.cedar, [cedarWeb(scene, true)]);
}

/** nameOf is the name of a Service of the scene in the clusterset. */
export function nameOf(service: string): string {
  return `${service}.${NAMESPACE}.svc.clusterset.local`;
}

/** Only birch masquerades: both kinds of CNI are always seen. */
async function raiseClusters(underlay: Place, cedarNodes: number): Promise<Scene["clusters"]> {
  const raise = (name: ClusterName, masquerade: boolean, nodes = 1): Promise<Cluster> => {
    const index = CLUSTERS.indexOf(name) + 1;
    return createCluster(underlay, { name, index, nodes, podCidr: POD_CIDR, serviceCidr: SERVICE_CIDR, masquerade });
  };
  const [amber, birch, cedar] = await Promise.all([
    raise("amber", false),
    raise("birch", true),
    raise("cedar", false, cedarNodes),
  ]);
  return { amber, birch, cedar };
}

async function raisePods({ amber, birch, cedar }: Scene["clusters"]): Promise<Scene["pods"]> {
  const [amberWeb, amberDb, birchClient, birchLedger, cedarWebPod] = await Promise.all([
    addPod(amber, { name: "web-0", address: ip("10.244.1.10") }),
    addPod(amber, { name: "db-0", address: ip("10.244.1.11") }),
    addPod(birch, { name: "client", address: ip("10.244.1.10") }),
    addPod(birch, { name: "ledger-0", address: ip("10.244.1.11") }),
    addPod(cedar, { name: "web-0", address: ip("10.244.1.10") }),
  ]);
  return { amberWeb, amberDb, birchClient, birchLedger, cedarWeb: cedarWebPod };
}

function amberServices({ pods }: Scene): readonly LabService[] {
  return [
    { namespace: NAMESPACE, name: "web", clusterIp: WEB_CLUSTER_IP, backends: [pods.amberWeb], exported: true },
    { namespace: NAMESPACE, name: "db", clusterIp: "None", backends: [pods.amberDb], exported: true },
  ];
}

function birchServices({ pods }: Scene): readonly LabService[] {
  return [
    { namespace: NAMESPACE, name: "ledger", clusterIp: WEB_CLUSTER_IP, backends: [pods.birchLedger], exported: true },
  ];
}

function cedarWeb({ pods }: Scene, exported: boolean): LabService {
  return { namespace: NAMESPACE, name: "web", clusterIp: CEDAR_WEB_CLUSTER_IP, backends: [pods.cedarWeb], exported };
}

function ip(text: string): Ip {
  return expect(parseIp(text));
}
