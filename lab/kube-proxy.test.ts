import { describe, expect, test } from "vitest";
import { expect as must, parseCidr, parseIp } from "#values";
import { type NodeNetwork, renderKubeProxy, type ServicePort } from "./kube-proxy.ts";

const ip = (text: string) => must(parseIp(text));
const NETWORK: NodeNetwork = {
  podCidr: must(parseCidr("10.244.0.0/16")),
  serviceCidr: must(parseCidr("10.96.0.0/16")),
  masquerade: false,
};
const WEB: ServicePort = {
  clusterIp: ip("10.96.0.10"),
  protocol: "tcp",
  port: 80,
  targetPort: 8080,
  endpoints: [ip("10.244.1.10"), ip("10.244.2.10")],
};
const lines = (text: string) => text.split("\n").map((line) => line.trim());

describe("renderKubeProxy()", () => {
  test("renderKubeProxy() creates, deletes and creates each table, so that it replaces it in one transaction", () => {
    expect(lines(renderKubeProxy(NETWORK, [])).filter((line) => /^(delete )?table/.test(line))).toEqual([
      "table ip kube-proxy-like",
      "delete table ip kube-proxy-like",
      "table ip kube-proxy-like {",
      "table ip cni-like",
      "delete table ip cni-like",
      "table ip cni-like {",
    ]);
  });

  test("renderKubeProxy() spreads a Service over its endpoints by a map", () => {
    expect(lines(renderKubeProxy(NETWORK, [WEB]))).toContain(
      "ip daddr 10.96.0.10 tcp dport 80 dnat ip addr . port to numgen random mod 2 map { 0 : 10.244.1.10 . 8080, 1 : 10.244.2.10 . 8080 }",
    );
  });

  test("renderKubeProxy() marks clients that are no pods, and masquerades hairpins", () => {
    const got = lines(renderKubeProxy(NETWORK, [WEB]));
    expect(got).toContain(
      "ip daddr 10.96.0.10 tcp dport 80 ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x4000",
    );
    expect(got).toContain("ct original ip daddr 10.96.0.10 ip saddr 10.244.1.10 ip daddr 10.244.1.10 masquerade");
  });

  test("renderKubeProxy() drops INVALID, and rejects Service addresses that nobody serves", () => {
    const got = lines(renderKubeProxy(NETWORK, [{ ...WEB, endpoints: [] }]));
    expect(got).toContain("ct state invalid counter drop");
    expect(got.filter((line) => line === "ip daddr 10.96.0.0/16 counter reject")).toHaveLength(2);
    expect(got.join("\n")).not.toContain("numgen");
  });

  test("renderKubeProxy() has the CNI's masquerade only where it is wanted", () => {
    const rule = 'ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 oifname != "cni0" counter masquerade';
    expect(lines(renderKubeProxy({ ...NETWORK, masquerade: true }, []))).toContain(rule);
    expect(lines(renderKubeProxy(NETWORK, []))).not.toContain(rule);
  });
});
