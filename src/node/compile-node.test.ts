import { describe, expect, test } from "vitest";
import type { NetworkDocument } from "#kube";
import { overlayMtu } from "#tunnel";
import { type Cidr, type ClusterId, type Ip, expect as must, type NodeName, parseCidr, parseIp } from "#values";
import { compileNode, type NodeView } from "./compile-node.ts";

const cidr = (text: string): Cidr => must(parseCidr(text));
const ip = (text: string): Ip => must(parseIp(text));
const named = (name: string): NodeName => name as NodeName;

const NODE = { name: named("node-3"), local: ip("192.168.0.13"), global: ip("242.0.1.13"), ports: [] };
const NETWORK: NetworkDocument = {
  cluster: "amber" as ClusterId,
  supernet: cidr("242.0.0.0/8"),
  servicePrefix: cidr("242.192.0.0/10"),
  nodePrefix: cidr("242.0.1.0/24"),
  way: "auto",
  pods: [{ local: cidr("10.244.0.0/16"), global: cidr("242.1.0.0/16") }],
  direct: { pods: [cidr("10.9.0.0/16")], nodes: [cidr("242.0.9.0/24")] },
  gateways: [
    { name: named("node-1"), index: 0, local: ip("192.168.0.11"), global: ip("242.0.1.11"), draining: false },
    { name: named("node-2"), index: 5, local: ip("192.168.7.12"), global: ip("242.0.1.12"), draining: true },
  ],
  nodes: [NODE],
};
/** The first gateway is on this node's link, the second behind a router. */
const NEIGHBOURS: NodeView["neighbours"] = new Map([[ip("192.168.0.11"), { link: "eth0", mac: null }]]);

/** compiled is what a node makes of this network, with something else about it. */
function compiled(network: Partial<NetworkDocument> = {}, view: Partial<NodeView> = {}) {
  return compileNode({
    network: { ...NETWORK, ...network },
    node: NODE,
    localLinks: ["cni0"],
    neighbours: NEIGHBOURS,
    underlayMtu: 1500,
    underlayLinks: ["eth0", "flannel.1"],
    isUp: () => undefined,
    ...view,
  });
}

describe("the way of each gateway", () => {
  test.each<[string, ReturnType<typeof compiled>, readonly (string | null)[], readonly string[]]>([
    ["auto: by the link where it is a neighbour, else by the overlay", compiled(), ["eth0", null], ["192.168.7.12"]],
    [
      "vxlan: by the overlay, neighbour or not",
      compiled({ way: "vxlan" }),
      [null, null],
      ["192.168.0.11", "192.168.7.12"],
    ],
    ["no gateway is known: no overlay", compiled({ gateways: [] }), [], []],
    ["all are neighbours: no overlay", compiled({ gateways: NETWORK.gateways.slice(0, 1) }), ["eth0"], []],
  ])("%s", (_, { routes }, links, peers) => {
    expect(routes.gateways.map(({ link }) => link)).toEqual(links);
    expect((routes.overlay?.peers ?? []).map(({ local }) => local)).toEqual(peers);
    expect(routes.overlay === null).toBe(peers.length === 0);
  });

  test("the overlay is this node's: its address, and room for what is put around a packet", () => {
    expect(compiled({}, { underlayMtu: 1450 }).routes.overlay).toMatchObject({
      local: "192.168.0.13",
      address: "242.0.1.13/32",
      mtu: overlayMtu(1450),
    });
  });

  test.each<[string, boolean | undefined, boolean | null]>([
    ["before the first verdict what stands is kept", undefined, null],
    ["up", true, true],
    ["down", false, false],
  ])("the probes' verdict: %s", (_, verdict, up) => {
    const { routes } = compiled({}, { isUp: (gateway) => (gateway === "node-1" ? verdict : true) });
    expect(routes.gateways.map((gateway) => gateway.up)).toEqual([up, true]);
  });

  test("a gateway that drains is told as such, by its index", () => {
    expect(compiled().routes.gateways.map(({ index, draining }) => [index, draining])).toEqual([
      [0, false],
      [5, true],
    ]);
  });
});

test("every gateway is probed at its global address, by whatever way leads there", () => {
  expect(compiled().targets).toEqual([
    { id: "node-1", address: "242.0.1.11", interface: null },
    { id: "node-2", address: "242.0.1.12", interface: null },
  ]);
});

test("what is translated is this node's: its pods' links, its ports; nothing of a gateway's", () => {
  const ports = [{ protocol: "TCP", port: 9100 }] as const;
  const { globalnet } = compiled({}, { node: { ...NODE, ports } });
  expect(globalnet).toMatchObject({
    localLinks: ["cni0"],
    hostPorts: ports,
    node: { local: "192.168.0.13", global: "242.0.1.13" },
    pods: NETWORK.pods,
    direct: NETWORK.direct,
  });
  expect([globalnet.tunnels, globalnet.daemonPorts, globalnet.siblings, globalnet.hairpin]).toEqual([[], [], [], []]);
});

test("members that are reached untranslated: their pods are routed, too", () => {
  expect(compiled().routes).toMatchObject({
    direct: ["10.9.0.0/16"],
    supernet: "242.0.0.0/8",
    servicePrefix: "242.192.0.0/10",
    underlayLinks: ["eth0", "flannel.1"],
  });
});
