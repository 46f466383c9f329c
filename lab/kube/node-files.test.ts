import { expect, test } from "vitest";
import { expect as must, parseCidr, parseIp } from "#values";
import { renderCni, renderContainerd, renderKubelet, renderKubeProxy } from "./node-files.ts";

const podRange = must(parseCidr("10.244.2.0/24"));
const podCidr = must(parseCidr("10.244.0.0/16"));

test("renderCni() gives pods of the node's own range, and masquerades", () => {
  const { plugins } = JSON.parse(renderCni(podRange)) as { plugins: readonly Record<string, unknown>[] };
  expect(plugins.map(({ type }) => type)).toEqual(["bridge", "portmap"]);
  expect(plugins[0]).toMatchObject({ ipMasq: true, ipam: { ranges: [[{ subnet: "10.244.2.0/24" }]] } });
});

test("renderContainerd() has the sandbox's image, which nobody pulls", () => {
  expect(renderContainerd("native")).toContain('sandbox_image = "registry.k8s.io/pause:3.10"');
  expect(renderContainerd("native")).toContain('snapshotter = "native"');
});

test("renderKubelet() names the cluster's DNS", () => {
  expect(JSON.parse(renderKubelet(must(parseIp("10.96.0.10"))))).toMatchObject({ clusterDNS: ["10.96.0.10"] });
});

test("renderKubeProxy() takes the pods of all nodes for its own", () => {
  expect(JSON.parse(renderKubeProxy("amber-2", podCidr, "/x"))).toMatchObject({
    mode: "nftables",
    hostnameOverride: "amber-2",
    clusterCIDR: "10.244.0.0/16",
  });
});
