import type { Ip, Protocol } from "#values";
import type { Cluster } from "./cluster.ts";
import { firstNode } from "./cluster.ts";
import { installKubeProxy, type ServicePort } from "./kube-proxy.ts";
import { type Manifest, manifestFolder, writeManifests } from "./manifests.ts";
import { POD_HTTP_PORT, POD_UDP_PORT } from "./pod.ts";

/** Backend is a pod behind a Service, as an EndpointSlice lists it. */
export interface Backend {
  readonly hostname: string;
  readonly address: Ip;
  readonly node: { readonly name: string };
}

/** LabService is a Service with its pods; every one has an HTTP and a UDP port, as all pods of the laboratory do. */
export interface LabService {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIp: Ip | "None";
  readonly backends: readonly Backend[];
  /** Whether a ServiceExport stands beside it. */
  readonly exported: boolean;
}

/** A port as Kubernetes writes it, with the number that the pods listen on. */
interface Port {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly targetPort: number;
}

/** The port names are equal in all clusters, so that exports of one name can be merged. */
const PORTS: readonly Port[] = [
  { name: "http", protocol: "TCP", port: 80, targetPort: POD_HTTP_PORT },
  { name: "echo", protocol: "UDP", port: POD_UDP_PORT, targetPort: POD_UDP_PORT },
];

const NAMESPACES_FILE = "namespaces.yaml";

/** installServices makes these the Services of a cluster: one manifest file each, and the kube-proxy rules of every
 *  node. Files of Services that are not named stay. */
export async function installServices(cluster: Cluster, services: readonly LabService[]): Promise<void> {
  const folder = await manifestFolder(firstNode(cluster), cluster.name);
  const rules = services.flatMap(servicePorts);
  for (const node of cluster.members) await installKubeProxy(node, cluster, rules);
  await writeManifests(folder, NAMESPACES_FILE, namespacesOf(services));
  for (const service of services) await writeManifests(folder, fileOf(service), manifestsOf(service));
}

/** fileOf is the name of a Service's file in the manifest folder. */
export function fileOf({ namespace, name }: LabService): string {
  return `${namespace}-${name}.yaml`;
}

/** namespacesOf is each namespace of some Services, once: an object that two files define is a fault of the folder. */
export function namespacesOf(services: readonly LabService[]): readonly Manifest[] {
  const names = new Set(services.map((service) => service.namespace));
  return [...names].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
}

/** manifestsOf is a Service as Kubernetes objects: Service, EndpointSlice and, if exported, ServiceExport (KEP-1645). */
export function manifestsOf(service: LabService): readonly Manifest[] {
  const { namespace, name, clusterIp, exported } = service;
  const headless = clusterIp === "None";
  const ports = PORTS.map((port) => (headless ? { ...port, port: port.targetPort } : port));
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { clusterIP: clusterIp, ports } },
    endpointSlice(service),
    ...(exported ? [serviceExport(namespace, name)] : []),
  ];
}

/** servicePorts is what kube-proxy makes of a Service; of a headless one nothing. */
export function servicePorts({ clusterIp, backends }: LabService): readonly ServicePort[] {
  if (clusterIp === "None") return [];
  const endpoints = backends.map((backend) => backend.address);
  return PORTS.map(({ protocol, port, targetPort }) => ({
    clusterIp,
    protocol: protocol === "TCP" ? "tcp" : "udp",
    port,
    targetPort,
    endpoints,
  }));
}

/** One slice is enough: a slice holds up to 1,000 endpoints (discovery.k8s.io/v1), ours a handful. */
function endpointSlice({ namespace, name, backends }: LabService): Manifest {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-1`, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: PORTS.map(({ name: port, protocol, targetPort }) => ({ name: port, protocol, port: targetPort })),
    endpoints: backends.map(({ hostname, address, node }) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      hostname,
      nodeName: node.name,
    })),
  };
}

/** An export is a name alone; everything else stands in the Service (KEP-1645). */
function serviceExport(namespace: string, name: string): Manifest {
  return { apiVersion: "multicluster.x-k8s.io/v1alpha1", kind: "ServiceExport", metadata: { name, namespace } };
}
