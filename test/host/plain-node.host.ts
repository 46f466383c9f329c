import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPod,
  type Cluster,
  createCluster,
  createRun,
  createUnderlay,
  type Daemon,
  eventually,
  firstNode,
  getOnce,
  invite,
  mustExec,
  POD_HTTP_PORT,
  type Pod,
  plainNode,
  type Run,
  runPodServer,
  startBroker,
  startGateway,
  startNode,
  startPlainNode,
  stopJob,
  sweepRun,
  verb,
  verbJson,
} from "#lab";
import { type Cidr, err, type Ip, expect as must, ok } from "#values";

const NETWORKS = { podCidr: "10.244.0.0/16" as Cidr, serviceCidr: "10.96.0.0/16" as Cidr, masquerade: true };

interface NodeStatus {
  readonly global: string;
  readonly gateways: readonly { readonly way: string; readonly up: boolean }[];
  readonly troubles: readonly unknown[];
}

/** amber has a gateway and a node without one, birch a gateway; both have the same networks, and CNIs that masquerade. */
describe("a node without a gateway", () => {
  let run: Run;
  let amber: Cluster;
  let node: Daemon;
  let gateway: Daemon;
  let far: Pod;
  let peer: Pod;

  beforeAll(async () => {
    run = await createRun();
    const underlay = await createUnderlay(run);
    const broker = await startBroker(underlay);
    amber = await createCluster(underlay, { name: "amber", index: 1, nodes: 2, ...NETWORKS });
    const birch = await createCluster(underlay, { name: "birch", index: 2, ...NETWORKS });
    far = await addPod(amber, { name: "far", address: "10.244.2.10" as Ip, node: 2 });
    peer = await addPod(birch, { name: "peer", address: "10.244.1.10" as Ip });
    await Promise.all([far, peer].map((pod) => runPodServer(pod, "page-of-nodes")));
    const flags = ["--node-way", "vxlan"];
    gateway = await startGateway(amber, { token: await invite(broker, ["--cluster", "amber"]), flags });
    await startGateway(birch, { token: await invite(broker, ["--cluster", "birch"]) });
    node = await startPlainNode(amber, plainNode(amber), [firstNode(amber)]);
  });
  afterAll(async () => {
    if (run !== undefined) await sweepRun(run);
  });

  const status = async (): Promise<NodeStatus> => must(await verbJson<NodeStatus>(node, ["status"]));
  const page = async (from: Parameters<typeof getOnce>[0], to: string): Promise<string> => {
    const got = await eventually(() => getOnce(from, `http://${to}:${POD_HTTP_PORT}/`));
    return must(got).client;
  };

  /** Both ways: the servers see global addresses, of the pod and of the node for a process of its own. */
  async function reaches(): Promise<void> {
    expect(await page(far, "242.2.1.10")).toBe("242.1.2.10");
    expect(await page(peer, "242.1.2.10")).toBe("242.2.1.10");
    expect(await page(plainNode(amber), "242.2.1.10")).toBe("242.0.1.9");
  }

  async function overlayPackets(): Promise<number> {
    const text = await mustExec(plainNode(amber), ["ip", "-j", "-s", "link", "show", "dev", "meridian-vx"]);
    const [link] = JSON.parse(text) as { readonly stats64: { readonly tx: { readonly packets: number } } }[];
    return link?.stats64.tx.packets ?? 0;
  }

  test("reaches other members inside VXLAN where the gateways say so, and is reached", async () => {
    const before = await overlayPackets();
    await reaches();
    expect(await overlayPackets()).toBeGreaterThan(before + 5);
    expect(await status()).toMatchObject({ global: "242.0.1.9", gateways: [{ way: "vxlan", up: true }], troubles: [] });
  });

  test("F1 goes on while its daemon is killed, and the next one changes nothing and starts from what is on disk", async () => {
    const [before] = [await mustExec(plainNode(amber), ["ip", "-4", "route", "show", "proto", "77"])];
    await stopJob(node.job, { signal: "SIGKILL" });
    await reaches();
    const gone = join(run.folder, "data", "nobody-writes-this.json");
    node = await startNode(plainNode(amber), gone);
    expect((await status()).troubles).toMatchObject([{ code: "network-unread" }]);
    expect(await mustExec(plainNode(amber), ["ip", "-4", "route", "show", "proto", "77"])).toBe(before);
    await stopJob(node.job);
    await reaches();
  });

  test("goes directly where it may, and the overlay goes", async () => {
    await stopJob(gateway.job);
    gateway = await startGateway(amber, { flags: ["--node-way", "auto"] });
    node = await startNode(plainNode(amber), join(gateway.data, "network.json"));
    const direct = async () => {
      const { gateways } = await status();
      return gateways.every(({ way, up }) => way === "direct" && up) ? ok(undefined) : err(JSON.stringify(gateways));
    };
    must(await eventually(direct));
    await reaches();
    for (const host of [plainNode(amber), firstNode(amber)]) {
      const none = async () => {
        const links = await mustExec(host, ["ip", "-br", "link"]);
        return links.includes("meridian-vx") ? err(links) : ok(undefined);
      };
      must(await eventually(none));
    }
  });

  test("nothing leaves in clear without a gateway, and nothing is left when all is undone", async () => {
    await stopJob(node.job);
    const host = plainNode(amber);
    must(await verb(node, ["leave", "--offline"]));
    const look = "ip route show table all proto 77; ip nexthop; ip rule; ip -br link; nft list tables";
    const left = await mustExec(host, ["sh", "-c", look]);
    expect(left).not.toMatch(/proto 77|770[12]|meridian/);
    await rm(node.data, { recursive: true, force: true });
  });
});
