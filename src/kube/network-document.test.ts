import { describe, expect, test } from "vitest";
import { type Cidr, type ClusterId, type Ip, expect as must, type NodeName } from "#values";
import { formatNetwork, type NetworkDocument, parseNetwork } from "./network-document.ts";

const gateway = { name: "amber-1" as NodeName, index: 0, local: "172.31.0.11" as Ip, global: "242.0.1.1" as Ip };
const node = { name: "amber-2" as NodeName, local: "172.31.0.12" as Ip, global: "242.0.1.9" as Ip };
const NETWORK: NetworkDocument = {
  cluster: "amber" as ClusterId,
  supernet: "242.0.0.0/8" as Cidr,
  servicePrefix: "242.192.0.0/10" as Cidr,
  nodePrefix: "242.0.1.0/24" as Cidr,
  pods: [{ local: "10.244.0.0/16" as Cidr, global: "242.1.0.0/16" as Cidr }],
  way: "auto",
  direct: { pods: [], nodes: [] },
  gateways: [{ ...gateway, draining: false }],
  nodes: [{ ...node, ports: [{ protocol: "TCP", port: 9100 }] }],
};

describe("parseNetwork()", () => {
  test("reads what formatNetwork() wrote", () => {
    expect(must(parseNetwork(formatNetwork(NETWORK)))).toEqual(NETWORK);
  });

  test.each([
    ["half a text", (text: string) => text.slice(0, 40), "it is not JSON"],
    ["a form that is not known", (text: string) => text.replace('"version":1', '"version":2'), "version: "],
    ["a network with host bits", (text: string) => text.replace("242.0.0.0/8", "242.0.0.1/8"), "supernet: "],
    ["an address that is none", (text: string) => text.replace("172.31.0.11", "gw"), "gateways.0.local: "],
    ["an index that no gateway has", (text: string) => text.replace('"index":0', '"index":8'), "gateways.0.index: "],
    ["a port that is none", (text: string) => text.replace("9100", "0"), "nodes.0.ports.0.port: "],
    ["another way", (text: string) => text.replace('"auto"', '"ipip"'), "way: "],
  ])("refuses %s, and names the field", (_, spoil, said) => {
    const read = parseNetwork(spoil(formatNetwork(NETWORK)));
    expect(read.ok ? "" : read.error).toContain(said);
  });
});
