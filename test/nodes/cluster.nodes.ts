import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createRun,
  createUnderlay,
  eventually,
  findNodeTools,
  footprint,
  type KubeCluster,
  leftovers,
  mustExec,
  type Place,
  processesOf,
  type Run,
  raiseKubeCluster,
  sweepRun,
} from "#lab";
import { err, expect as must, ok, parseCidr, type Result } from "#values";
import { renderClient, renderTunnelClient, renderWeb } from "./objects.ts";

const tools = await findNodeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);
const WAIT = { timeoutMs: 130_000 };
const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount";

describe.skipIf(!tools.ok)("a cluster of two nodes", () => {
  let run: Run;
  let underlay: Place;
  let cluster: KubeCluster;
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");

  beforeAll(async () => {
    if (!tools.ok) return;
    run = await createRun();
    underlay = await createUnderlay(run);
    const [podCidr, serviceCidr] = [must(parseCidr("10.244.0.0/16")), must(parseCidr("10.96.0.0/16"))];
    cluster = await raiseKubeCluster(underlay, {
      ...{ name: "amber", index: 1, nodes: 2, podCidr, serviceCidr },
      tools: tools.value,
    });
    const pods = [renderWeb(), renderClient("near", "amber-1"), renderClient("far", "amber-2")];
    const host = [renderClient("host", "amber-2", true), renderTunnelClient("tunnel", "amber-2")];
    await cluster.kubectl(["apply", "-f", "-"], { stdin: [...pods, ...host].join("---\n") });
    await cluster.kubectl(["wait", "--for=condition=Available", "deployment/web", "--timeout=120s"], WAIT);
    const clients = ["pod/near", "pod/far", "pod/host", "pod/tunnel"];
    await cluster.kubectl(["wait", "--for=condition=Ready", ...clients, "--timeout=120s"], WAIT);
  });
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  test("every node has the pod range that its CNI has", async () => {
    const ranges = await cluster.kubectl(["get", "nodes", "-o", "jsonpath={.items[*].spec.podCIDR}"]);
    expect(ranges.split(" ")).toEqual(cluster.nodes.map(({ podRange }) => podRange));
    expect(await addressOf("near")).toMatch(/^10\.244\.1\./);
    expect(await addressOf("far")).toMatch(/^10\.244\.2\./);
  });

  test("a Service is reached by its ClusterIP from both nodes, and answers from both", async () => {
    const ip = await cluster.kubectl(["get", "service", "web", "-o", "jsonpath={.spec.clusterIP}"]);
    for (const pod of ["near", "far", "host"]) {
      const seen = new Set<string>();
      for (let asked = 0; asked < 40 && seen.size < 2; asked += 1) seen.add(await get(pod, `http://${ip}/hostname`));
      expect([...seen].every((name) => name.startsWith("web-"))).toBe(true);
      expect(seen.size).toBe(2);
    }
  });

  test("and by its name, which the cluster's DNS answers on any node", async () => {
    for (const pod of ["near", "far"]) {
      expect(await get(pod, "http://web.default.svc.cluster.local/hostname")).toMatch(/^web-/);
      const dug = must(await cluster.execIn(pod, ["dig", "+short", "kubernetes.default.svc.cluster.local"]));
      expect(dug.trim()).toBe("10.96.0.1");
    }
  });

  test("a pod is seen by its own address on another node, and by its node's outside", async () => {
    const pods = await cluster.kubectl(["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}"]);
    for (const ip of pods.split(" ")) {
      expect(await get("near", `http://${ip}:8080/clientip`)).toMatch(`${await addressOf("near")}:`);
      expect(await get("far", `http://${ip}:8080/clientip`)).toMatch(`${await addressOf("far")}:`);
    }
    const caught = mustExec(underlay, ["tcpdump", "-lni", "br0", "-c", "1", "icmp[0] = 8"], { timeoutMs: 20_000 });
    await cluster.execIn("near", ["ping", "-c", "5", "-W", "1", "172.31.0.1"]);
    expect(await caught).toContain("IP 172.31.0.11 > 172.31.0.1:");
  });

  test("pods and processes of nodes reach the API server by its ClusterIP", async () => {
    for (const pod of ["near", "far", "host"]) {
      const ask = `curl -s --cacert ${TOKEN}/ca.crt -H "Authorization: Bearer $(cat ${TOKEN}/token)"`;
      const path = "https://$KUBERNETES_SERVICE_HOST/version";
      const said = must(await cluster.execIn(pod, ["sh", "-c", `${ask} ${path}`]));
      expect(JSON.parse(said)).toMatchObject({ gitVersion: "v1.37.2" });
    }
  });

  test("kubectl logs shows what a pod of the second node says", async () => {
    const names = await cluster.kubectl(["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}"]);
    for (const name of names.split(" ")) {
      expect(await cluster.kubectl(["logs", name])).toContain("Started HTTP server on port 8080");
    }
  });

  test("a pod that may make links has /dev/net/tun, and may write sysctls of its node by a hostPath", async () => {
    must(await cluster.execIn("tunnel", ["sh", "-c", ": <> /dev/net/tun"]));
    const file = "/host/proc/sys/net/ipv4/conf/eth0/log_martians";
    must(await cluster.execIn("tunnel", ["sh", "-c", `echo 1 > ${file}`]));
    const seen = await mustExec(cluster.nodes[1] as Place, ["cat", "/proc/sys/net/ipv4/conf/eth0/log_martians"]);
    expect(seen.trim()).toBe("1");
  });

  test("a Corefile that is changed in the ConfigMap is served in seconds", async () => {
    const map = ["-n", "kube-system", "configmap", "coredns"];
    const corefile = await cluster.kubectl(["get", ...map, "-o", "jsonpath={.data.Corefile}"]);
    const more = `${corefile}lab.test:53 {\n    hosts {\n        192.0.2.7 here.lab.test\n    }\n}\n`;
    await cluster.kubectl(["patch", ...map, "-p", JSON.stringify({ data: { Corefile: more } })]);
    const start = performance.now();
    const answered = await eventually(() => dig("here.lab.test", "192.0.2.7"), { timeoutMs: 60_000 });
    process.stderr.write(`a Corefile is served ${Math.round(performance.now() - start)} ms after it was written\n`);
    expect(answered).toEqual(ok(undefined));
  });

  test("stop() leaves nothing but the underlay and logs", async () => {
    const before = await footprint(run);
    const folders = cluster.nodes.map(({ folder }) => folder);
    expect(before.cgroups.every((folder) => existsSync(folder))).toBe(true);
    await cluster.stop();
    expect(await processesOf(run.folder, before.hold.networks)).toEqual([underlay.pid]);
    await before.hold.release();
    expect([...before.cgroups, ...folders].filter((path) => existsSync(path))).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(mounts);
    const links = await mustExec(underlay, ["ip", "-br", "link"]);
    expect(links.match(/^[^ @]+/gm)).toEqual(["lo", "br0"]);
    const during = await footprint(run);
    await sweepRun(run);
    expect(await leftovers(run, before, during)).toEqual([]);
  });

  async function get(pod: string, url: string): Promise<string> {
    return must(await cluster.execIn(pod, ["curl", "-sf", "--max-time", "5", url]));
  }

  async function addressOf(pod: string): Promise<string> {
    return cluster.kubectl(["get", "pod", pod, "-o", "jsonpath={.status.podIP}"]);
  }

  async function dig(name: string, wanted: string): Promise<Result<void>> {
    const said = await cluster.execIn("far", ["dig", "+short", "+time=1", "+tries=1", name]);
    if (!said.ok) return said;
    return said.value.trim() === wanted ? ok(undefined) : err(said.value);
  }
});
