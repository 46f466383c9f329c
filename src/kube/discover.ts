import { parse } from "yaml";
import { type Cidr, err, ok, parseCidr, type Result } from "#values";
import type { ApiServer } from "./api/api-server.ts";
import { metadataOf, pathOf, RESOURCES, type Resource } from "./api/resource.ts";
import { part } from "./sink/projection.ts";

/** Networks is what a cluster calls its own, and where that was read. */
export interface Networks {
  readonly cidrs: readonly Cidr[];
  /** For people: `ServiceCIDR kubernetes`. */
  readonly origin: string;
}

const SERVICE_CIDRS: Resource = {
  apiVersion: "networking.k8s.io/v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
};
const SYSTEM = "kube-system";

type Ask = Pick<ApiServer, "request">;
type Find = (api: Ask, signal: AbortSignal) => Promise<Networks | undefined>;

/** discoverPods finds the pod network: by kubeadm's configuration, kube-proxy's, or the nodes' own shares. */
export function discoverPods(api: Ask, signal: AbortSignal): Promise<Result<Networks>> {
  const remedy = "the pod network is not told by kubeadm-config, kube-proxy or the nodes' podCIDRs: give --pod-cidr";
  return firstOf([kubeadm("podSubnet"), kubeProxy, nodeShares], { api, signal, remedy });
}

/** discoverServices finds the service network: by ServiceCIDR objects, kubeadm's configuration, or by what the API
 *  server says to an address that is in none. */
export function discoverServices(api: Ask, signal: AbortSignal): Promise<Result<Networks>> {
  const remedy = "the service network is not told by ServiceCIDR objects or kubeadm-config: give --service-cidr";
  return firstOf([serviceCidrs, kubeadm("serviceSubnet"), refusedService], { api, signal, remedy });
}

/** clusterUid tells a cluster from all others: the uid of its namespace kube-system, which nobody can delete (KEP-2149). */
export async function clusterUid(api: Ask, signal: AbortSignal): Promise<Result<string>> {
  const query = { fieldSelector: `metadata.name=${SYSTEM}` };
  const found = await api.request({ path: pathOf(RESOURCES.namespaces), query }, signal);
  if (!found.ok) return err(found.error.message);
  const items = (found.value as { readonly items?: unknown }).items;
  const uid = Array.isArray(items) ? metadataOf(items[0])?.uid : undefined;
  return uid === undefined || uid === "" ? err(`there is no namespace ${SYSTEM}`) : ok(uid);
}

async function firstOf(
  finds: readonly Find[],
  { api, signal, remedy }: { readonly api: Ask; readonly signal: AbortSignal; readonly remedy: string },
): Promise<Result<Networks>> {
  for (const find of finds) {
    const found = await find(api, signal);
    if (found !== undefined && found.cidrs.length > 0) return ok(found);
  }
  return err(remedy);
}

/** kubeadm keeps its ClusterConfiguration in a ConfigMap. */
function kubeadm(field: "podSubnet" | "serviceSubnet"): Find {
  return async (api, signal) => {
    const config = await configOf(api, { name: "kubeadm-config", key: "ClusterConfiguration" }, signal);
    return networks(part(config, "networking")[field], `ConfigMap ${SYSTEM}/kubeadm-config`);
  };
}

async function kubeProxy(api: Ask, signal: AbortSignal): Promise<Networks | undefined> {
  const config = await configOf(api, { name: "kube-proxy", key: "config.conf" }, signal);
  return networks(part(config)["clusterCIDR"], `ConfigMap ${SYSTEM}/kube-proxy`);
}

/** Each node has a share where kube-controller-manager gives them out: a new node's share is learnt at the next start. */
async function nodeShares(api: Ask, signal: AbortSignal): Promise<Networks | undefined> {
  const nodes = await listOf(api, RESOURCES.nodes, signal);
  const shares = nodes.flatMap((node) => textsOf(part(node, "spec")["podCIDRs"]));
  return networks(shares, `podCIDRs of ${nodes.length} nodes`);
}

/** ServiceCIDR objects, networking.k8s.io/v1 since Kubernetes 1.33 (KEP-1880). */
async function serviceCidrs(api: Ask, signal: AbortSignal): Promise<Networks | undefined> {
  const objects = await listOf(api, SERVICE_CIDRS, signal);
  const names = objects.map((object) => String(part(object, "metadata")["name"])).join(", ");
  return networks(
    objects.flatMap((object) => textsOf(part(object, "spec")["cidrs"])),
    `ServiceCIDR ${names}`,
  );
}

/** An API server without ServiceCIDR objects names its range when it refuses an address outside; nothing is made. */
async function refusedService(api: Ask, signal: AbortSignal): Promise<Networks | undefined> {
  const spec = { clusterIP: "192.0.2.1", ports: [{ port: 1 }] };
  const body = { apiVersion: "v1", kind: "Service", metadata: { generateName: "meridian-probe-" }, spec };
  const path = pathOf(RESOURCES.services, "default");
  const asked = await api.request({ method: "POST", path, query: { dryRun: "All" }, body }, signal);
  const text = asked.ok ? "" : asked.error.message;
  return networks(/range of valid IPs is ([0-9a-f.:/]+)/.exec(text)?.[1], "a Service that the API server refused");
}

async function configOf(
  api: Ask,
  { name, key }: { readonly name: string; readonly key: string },
  signal: AbortSignal,
): Promise<unknown> {
  const found = await api.request({ path: pathOf(RESOURCES.configMaps, SYSTEM, name) }, signal);
  const text = found.ok ? part(found.value, "data")[key] : undefined;
  try {
    return typeof text === "string" ? parse(text) : undefined;
  } catch {
    return undefined; // another way of finding it is tried
  }
}

async function listOf(api: Ask, resource: Resource, signal: AbortSignal): Promise<readonly unknown[]> {
  const found = await api.request({ path: pathOf(resource), query: { limit: "500" } }, signal);
  const items = found.ok ? (found.value as { readonly items?: unknown }).items : undefined;
  return Array.isArray(items) ? items : [];
}

/** Networks are written as a list, or in one text with commas for two families. */
function networks(value: unknown, origin: string): Networks | undefined {
  const texts = typeof value === "string" ? value.split(",") : textsOf(value);
  const cidrs = texts.flatMap((text) => {
    const cidr = parseCidr(text.trim());
    return cidr.ok ? [cidr.value] : [];
  });
  return cidrs.length === 0 ? undefined : { cidrs: [...new Set(cidrs)], origin };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}
