import type { Cidr, Ip } from "#values";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import { plan } from "./plan.ts";
import { serviceKey } from "./service-entry.ts";
import { emptyState, type GlobalnetWant } from "./state.ts";
import { exampleEntry, examplePlan } from "./testbed-plan.ts";
import { transactions } from "./transaction.ts";

const GATEWAY = examplePlan(1, {
  hostPorts: [{ protocol: "TCP", port: 9100 }],
  daemonPorts: [{ protocol: "UDP", port: 4789 }],
  siblings: ["02:00:00:00:00:02"],
  hairpin: ["10.244.1.10" as Ip],
});

const PLAIN_NODE: GlobalnetPlan = {
  ...examplePlan(3),
  pods: [
    { local: "10.244.0.0/16" as Cidr, global: "242.3.0.0/16" as Cidr },
    { local: "10.9.8.0/24" as Cidr, global: "242.4.0.0/24" as Cidr },
  ],
  node: { local: "192.168.7.9" as Ip, global: "242.0.3.9" as Ip },
  tunnels: [],
  localLinks: ["cni0", "cilium_host"],
};

const UNTRANSLATED: GlobalnetPlan = examplePlan(1, {
  pods: [{ local: "10.1.0.0/16" as Cidr, global: "242.1.0.0/16" as Cidr }],
  direct: { pods: ["10.2.0.0/16", "10.3.0.0/20"] as Cidr[], nodes: ["242.0.2.0/24", "242.0.3.0/24"] as Cidr[] },
});

const SERVICES = [
  exampleEntry("242.192.0.1 TCP 80", ["10.244.1.10:8080"]),
  exampleEntry("242.192.0.1 UDP 53", ["242.2.3.7:53", "242.3.3.7:53"]),
];

/** goldenRulesets is what a machine without any table of ours is given, by file name under `golden/`. */
export const goldenRulesets: Readonly<Record<string, string>> = {
  "gateway.nft": textFor({ plan: GATEWAY, services: new Map(SERVICES.map((one) => [serviceKey(one), one])) }),
  "direct.nft": textFor({ plan: UNTRANSLATED, services: new Map() }),
  "plain-node.nft": textFor({ plan: PLAIN_NODE, services: new Map() }),
};

function textFor(want: GlobalnetWant): string {
  return [...transactions(plan(emptyState, want))].map(({ text }) => text).join("");
}
