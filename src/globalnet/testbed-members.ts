import { Troubles } from "#life";
import type { Cidr, Ip } from "#values";
import { systemConntrack } from "./conntrack.ts";
import { createGlobalnet, type Globalnet } from "./globalnet.ts";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import { systemNft } from "./nft.ts";
import type { HostLab } from "./testbed-lab.ts";
import { examplePlan } from "./testbed-plan.ts";
import { ECHO_SERVER } from "./testbed-scripts.ts";

/** Member is one node with two pods behind a bridge; its tunnel is a plain pair of interfaces. */
export interface Member {
  readonly node: string;
  readonly pods: readonly [string, string];
  readonly plan: GlobalnetPlan;
  readonly globalnet: Globalnet;
}

/** What a CNI and kube-proxy do on a node: masquerade what leaves the pods, drop INVALID, serve a ClusterIP. */
const CLUSTER = `
table ip cluster {
  chain masq { type nat hook postrouting priority 100; policy accept;
    ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 masquerade
  }
  chain invalid { type filter hook forward priority 0; policy accept;
    ct state invalid counter drop
  }
  chain services { type nat hook prerouting priority -100; policy accept;
    ip daddr 10.96.0.10 tcp dport 80 dnat to 10.244.0.10:8080
  }
}`;

/** twoMembers builds members 1 and 2 with the same pod CIDR; pods are 10.244.0.10 and .11, the bridge is .1. */
export async function twoMembers(lab: HostLab): Promise<readonly [Member, Member]> {
  const [one, two] = [await member(lab, 1), await member(lab, 2)];
  await lab.ip(one.node, [`link add mrd0 mtu 1420 type veth peer name mrd0 mtu 1420 netns ${two.node}`]);
  await tunnel(lab, one, 1, 2);
  await tunnel(lab, two, 2, 1);
  return [one, two];
}

async function member(lab: HostLab, n: number): Promise<Member> {
  const node = await lab.space(`n${n}`);
  await lab.sysctl(node, ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=2"]);
  await lab.ip(node, [
    `addr add 172.31.${n}.1/32 dev lo`,
    "link add cni0 type bridge",
    "addr add 10.244.0.1/24 dev cni0",
    "link set cni0 up",
    "route add unreachable 242.0.0.0/8 metric 4278198272",
    `route add 242.192.0.0/10 dev lo src 172.31.${n}.1 table 7701`,
    "rule add pref 7701 iif lo to 242.192.0.0/10 lookup 7701",
  ]);
  const pods: [string, string] = [await pod(lab, node, `p${n}a`, 10), await pod(lab, node, `p${n}b`, 11)];
  await lab.serve(node, ECHO_SERVER);
  const prefix = ["ip", "netns", "exec", node];
  const nft = systemNft(prefix);
  const clustered = await nft.run(CLUSTER);
  if (!clustered.ok) throw new Error(clustered.error.stderr);
  const plan = examplePlan(n, {
    node: { local: `172.31.${n}.1` as Ip, global: `242.0.${n}.1` as Ip },
    pods: [{ local: "10.244.0.0/16" as Cidr, global: `242.${n}.0.0/16` as Cidr }],
    hairpin: ["10.244.0.10" as Ip, "10.244.0.11" as Ip],
  });
  const globalnet = createGlobalnet({ nft, conntrack: systemConntrack(prefix), troubles: new Troubles() });
  return { node, pods, plan, globalnet };
}

/** A CNI's bridge port may send a frame back where it came from: with br_netfilter a hairpin is bridged, not routed. */
async function pod(lab: HostLab, node: string, name: string, host: number): Promise<string> {
  const space = await lab.space(name);
  await lab.ip(node, [
    `link add ${name} type veth peer name eth0 netns ${space}`,
    `link set ${name} master cni0 up`,
    `link set ${name} type bridge_slave hairpin on`,
  ]);
  await lab.ip(space, [
    `addr add 10.244.0.${host}/24 dev eth0`,
    "link set eth0 up",
    "route add default via 10.244.0.1",
  ]);
  await lab.serve(space, ECHO_SERVER);
  return space;
}

async function tunnel(lab: HostLab, { node }: Member, own: number, peer: number): Promise<void> {
  const via = `via 242.0.${peer}.1 dev mrd0 onlink src 172.31.${own}.1`;
  await lab.ip(node, [
    `addr add 242.0.${own}.1/32 dev mrd0`,
    "link set mrd0 up",
    `route add 242.${peer}.0.0/16 ${via}`,
    `route add 242.0.${peer}.0/24 ${via}`,
  ]);
}
