import { type ClusterId, contains, type Ip, swapPrefix } from "#values";
import type { Catalogue } from "#wire";
import { nodeAddress } from "./compile-network.ts";
import type { PairMode } from "./pair-modes.ts";

/** AddressView is one row of `meridian ipam list`. */
export interface AddressView {
  readonly cluster: string | null;
  readonly kind: "pods" | "nodes" | "service";
  readonly prefix: string;
  readonly local: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly state: "live" | "quarantine";
  readonly since: string | null;
}

/** WhoisView is what `meridian ipam whois` prints. */
export interface WhoisView {
  readonly address: string;
  readonly cluster: string | null;
  readonly kind: string;
  readonly local: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly since: string | null;
}

/** allocationsOf lists the live allocations that a gateway knows of: prefixes first, then services. */
export function allocationsOf(catalogue: Catalogue): readonly AddressView[] {
  const live = { state: "live" as const, since: null };
  const prefixes = [...catalogue.ledger.holdings()].flatMap(({ cluster, pods, nodes }): AddressView[] => [
    ...pods.map(({ prefix, local }) => ({
      cluster,
      kind: "pods" as const,
      prefix,
      local,
      namespace: null,
      name: null,
      ...live,
    })),
    ...nodes.map((prefix) => ({
      cluster,
      kind: "nodes" as const,
      prefix,
      local: null,
      namespace: null,
      name: null,
      ...live,
    })),
  ]);
  const services = [...catalogue.ledger.services()].map(([key, address]): AddressView => {
    const [namespace = "", name = ""] = key.split("/");
    return {
      cluster: null,
      kind: "service",
      prefix: `${address}/${address.includes(":") ? 128 : 32}`,
      local: null,
      namespace,
      name,
      ...live,
    };
  });
  return [...prefixes, ...services].sort((a, b) =>
    a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.prefix < b.prefix ? -1 : 1,
  );
}

/** whois finds whose an address is; undefined where it is nobody's in the clusterset. Pods of members that are reached
 *  untranslated have their own addresses as well. */
export function whois(
  catalogue: Catalogue,
  address: Ip,
  modes: ReadonlyMap<ClusterId, PairMode> = new Map(),
): WhoisView | undefined {
  const service = catalogue.ledger.serviceAt(address);
  if (service !== undefined) {
    const [namespace = "", name = ""] = service.split("/");
    return { address, cluster: null, kind: "service", local: null, namespace, name, since: null };
  }
  for (const { cluster, pods, nodes, gateways } of catalogue.ledger.holdings()) {
    const pod = pods.find(({ prefix }) => contains(prefix, address));
    if (pod !== undefined) return { ...PODS, address, cluster, local: swapPrefix(address, pod.prefix, pod.local) };
    const direct = modes.get(cluster)?.kind === "direct" && pods.some(({ local }) => contains(local, address));
    if (direct) return { ...PODS, address, cluster, local: address };
    const block = nodes.find((prefix) => contains(prefix, address));
    if (block === undefined) continue;
    const name = gateways.find(({ index }) => nodeAddress(block, index) === address)?.name ?? null;
    return { address, cluster, kind: "nodes", local: null, namespace: null, name, since: null };
  }
  return undefined;
}

const PODS = { kind: "pods", namespace: null, name: null, since: null } as const;
