import type { Cidr, Ip } from "#values";
import { mustExec } from "./exec.ts";
import type { Place } from "./place.ts";

/** ServicePort is one port of a ClusterIP Service with the pods of its own cluster behind it. */
export interface ServicePort {
  readonly clusterIp: Ip;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly targetPort: number;
  readonly endpoints: readonly Ip[];
}

/** NodeNetwork is what the rules of a node depend on besides its Services. */
export interface NodeNetwork {
  readonly podCidr: Cidr;
  readonly serviceCidr: Cidr;
  readonly masquerade: boolean;
}

/** No name that a real kube-proxy or the program would take for its own. */
const TABLE = "kube-proxy-like";

/** installKubeProxy replaces a node's rules in one transaction. */
export async function installKubeProxy(
  node: Place,
  network: NodeNetwork,
  services: readonly ServicePort[],
): Promise<void> {
  await mustExec(node, ["nft", "-f", "-"], { stdin: renderKubeProxy(network, services) });
}

/** renderKubeProxy is one `nft -f` transaction that does what kube-proxy's nftables mode does (KEP-3866), in its
 *  hooks and priorities: DNAT of ClusterIPs in prerouting and output, reject of Service addresses without endpoints,
 *  drop of INVALID in forward, masquerade of hairpins and of clients that are no pods. The CNI's masquerade is a table
 *  of its own, as it is a program of its own. */
export function renderKubeProxy(network: NodeNetwork, services: readonly ServicePort[]): string {
  const { podCidr, serviceCidr } = network;
  const served = services.filter((service) => service.endpoints.length > 0);
  return `table ip ${TABLE}
delete table ip ${TABLE}
table ip ${TABLE} {
  chain services {
${served.map((service) => `    ${renderDnat(service, podCidr)}\n`).join("")}  }
  chain nat-prerouting { type nat hook prerouting priority dstnat; policy accept;
    ip daddr ${serviceCidr} jump services
  }
  chain nat-output { type nat hook output priority -100; policy accept;
    ip daddr ${serviceCidr} jump services
  }
  chain nat-postrouting { type nat hook postrouting priority srcnat; policy accept;
    meta mark & 0x4000 == 0x4000 meta mark set meta mark & 0xffffbfff masquerade
${served.map((service) => renderHairpins(service)).join("")}  }
  chain filter-forward { type filter hook forward priority filter; policy accept;
    ct state invalid counter drop
    ip daddr ${serviceCidr} counter reject
  }
  chain filter-output { type filter hook output priority filter; policy accept;
    ip daddr ${serviceCidr} counter reject
  }
}
${renderCni(network)}`;
}

/** A client that is no pod is marked, and masqueraded by the mark, so that the answer comes back through this node. */
function renderDnat({ clusterIp, protocol, port, targetPort, endpoints }: ServicePort, podCidr: Cidr): string {
  const match = `ip daddr ${clusterIp} ${protocol} dport ${port}`;
  const map = endpoints.map((ip, i) => `${i} : ${ip} . ${targetPort}`).join(", ");
  const mark = `${match} ip saddr != ${podCidr} meta mark set meta mark | 0x4000`;
  return `${mark}\n    ${match} dnat ip addr . port to numgen random mod ${endpoints.length} map { ${map} }`;
}

/** A pod that reaches itself by its Service would answer itself directly, and drop the answer: the node steps in. */
function renderHairpins({ clusterIp, endpoints }: ServicePort): string {
  return endpoints
    .map((ip) => `    ct original ip daddr ${clusterIp} ip saddr ${ip} ip daddr ${ip} masquerade\n`)
    .join("");
}

/** The chain is there in any case, so that switching it off replaces it too. */
function renderCni({ podCidr, masquerade }: NodeNetwork): string {
  const rule = `    ip saddr ${podCidr} ip daddr != ${podCidr} oifname != "cni0" counter masquerade\n`;
  return `table ip cni-like
delete table ip cni-like
table ip cni-like {
  chain masquerade-out { type nat hook postrouting priority srcnat; policy accept;
${masquerade ? rule : ""}  }
}
`;
}
