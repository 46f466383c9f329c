import { expect, test } from "vitest";
import { parseLocalLinks, parseRemoteLinks } from "./local-links.ts";
import { cidr } from "./testbed-plan.ts";

const PODS = [cidr("10.244.0.0/16")];

const links = (...rows: readonly object[]): unknown => parseLocalLinks(JSON.stringify(rows), PODS);
const found = (...value: readonly string[]): unknown => ({ ok: true, value });

test("parseLocalLinks() finds a bridge, and a veth per pod, once each", () => {
  expect(
    links(
      { dst: "10.244.1.5", dev: "cali5", scope: "link" },
      { dst: "10.244.0.0/24", dev: "cni0", protocol: "kernel", scope: "link", prefsrc: "10.244.0.1" },
      { dst: "10.244.7.0/24", dev: "cni0", scope: "link" },
    ),
  ).toEqual(found("cali5", "cni0"));
});

test.each([
  ["a next hop", { dst: "10.244.1.0/24", gateway: "10.244.1.0", dev: "flannel.1" }],
  ["several next hops", { dst: "10.244.1.0/24", nexthops: [{ gateway: "1.2.3.4", dev: "eth0" }] }],
  ["a next hop of the other family", { dst: "10.244.1.0/24", via: { host: "fe80::1" }, dev: "eth0" }],
  ["a nexthop object", { dst: "10.244.1.0/24", nhid: 5, dev: "eth0" }],
  ["no destination in the pod CIDRs", { dst: "172.31.1.0/24", dev: "eth0" }],
  ["a destination wider than the pod CIDRs", { dst: "10.0.0.0/8", dev: "eth0" }],
  ["the default destination", { dst: "default", dev: "ppp0" }],
  ["nowhere to go", { type: "blackhole", dst: "10.244.1.0/26", dev: "bird" }],
  ["a tunnel of ours", { dst: "10.244.1.0/24", dev: "mrd0" }],
])("parseLocalLinks() leaves out a route with %s", (_what, row) => {
  expect(links(row)).toEqual(found());
});

test("parseRemoteLinks() finds the links by which other nodes' pods are reached, and no tunnel", () => {
  const routes = [
    { dst: "default", gateway: "172.31.0.1", dev: "eth0" },
    { dst: "10.244.1.0/24", dev: "cni0" },
    { dst: "10.244.2.0/24", gateway: "10.244.2.0", dev: "flannel.1" },
    { dst: "10.244.3.0/24", gateway: "172.31.0.13", dev: "eth1" },
    { dst: "10.244.4.0/24", nhid: 7, gateway: "172.31.0.14", dev: "eth2" },
  ];
  const pods = [cidr("10.244.0.0/16")];
  expect(parseRemoteLinks(JSON.stringify(routes), pods)).toEqual({ ok: true, value: ["eth1", "flannel.1"] });
});
