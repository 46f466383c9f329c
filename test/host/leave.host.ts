import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClusterNode,
  checkName,
  createRun,
  type Daemon,
  endOf,
  eventually,
  firstNode,
  getOnce,
  invite,
  linesOf,
  listAllocations,
  mustExec,
  nameOf,
  processesIn,
  raiseScene,
  resolve,
  type Scene,
  spawnIn,
  startBroker,
  startGateway,
  stopJob,
  sweepRun,
  verb,
  verbJson,
} from "#lab";
import { systemClock } from "#life";
import { err, expect as must, ok } from "#values";

const WEB = nameOf("web");
const DB_POD = `db-0.amber.${nameOf("db")}`;

/** What a node has, without what changes by itself: counters and ages. */
async function inventory(node: ClusterNode): Promise<Readonly<Record<string, string>>> {
  const commands = {
    links: "ip -o link",
    addresses: "ip -o addr | sed 's/valid_lft.*//'",
    routes: "ip route show table all; ip -6 route show table all",
    rules: "ip rule; ip -6 rule",
    nexthops: "ip nexthop",
    tables: "nft -s list ruleset",
    sysctls:
      "grep . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/fib_multipath_hash_policy /proc/sys/net/ipv4/conf/*/rp_filter",
    sockets: "ss -H -tuln",
    wireguard: "ls /run/wireguard",
  };
  const pairs = Object.entries(commands).map(async ([name, command]) => {
    return [name, await mustExec(node, ["sh", "-c", command])] as const;
  });
  const programs = await Promise.all(["node", "wireguard-go", "MainThread"].map((name) => processesIn(node.pid, name)));
  return { ...Object.fromEntries(await Promise.all(pairs)), processes: programs.flat().join() };
}

/** quietInventory waits until the kernel has checked its new link-local addresses (RFC 4862, 5.4). */
async function quietInventory(node: ClusterNode): Promise<Readonly<Record<string, string>>> {
  const quiet = async () => {
    const addresses = await mustExec(node, ["ip", "-o", "-6", "addr"]);
    return addresses.includes("tentative") ? err(addresses) : ok(addresses);
  };
  must(await eventually(quiet));
  return inventory(node);
}

describe("a gateway goes", () => {
  let scene: Scene;
  let broker: Daemon;
  let amber: Daemon;
  let birch: Daemon;
  let node: ClusterNode;
  let before: Readonly<Record<string, string>>;
  const run = createRun();

  beforeAll(async () => {
    scene = await raiseScene(await run);
    node = firstNode(scene.clusters.amber);
    before = await quietInventory(node);
    broker = await startBroker(scene.underlay);
    amber = await startGateway(scene.clusters.amber, { token: await invite(broker, ["--cluster", "amber"]) });
    birch = await startGateway(scene.clusters.birch, { token: await invite(broker, ["--cluster", "birch"]) });
    must(await eventually(() => getOnce(scene.pods.birchClient, `http://${WEB}/`)));
  });
  afterAll(async () => sweepRun(await run));

  test("by SIGTERM: it ends with 0, packets go on, and the next one adopts the tunnel", async () => {
    await checkName({
      from: scene.pods.birchClient,
      name: DB_POD,
      addresses: must(await resolve(scene.pods.birchClient, DB_POD)),
    });
    const tunnels = await processesIn(node.pid, "wireguard-go");
    const pings = await spawnIn(scene.pods.birchClient, "pings", [
      "ping",
      "-n",
      "-i",
      "0.05",
      "-c",
      "140",
      "-W",
      "1",
      DB_POD,
    ]);
    const start = systemClock.monotonic();
    expect(await stopJob(amber.job)).toBe(0);
    expect(systemClock.monotonic() - start).toBeLessThan(10_000);
    await systemClock.sleep(3000);
    amber = await startGateway(scene.clusters.amber);
    await endOf(pings, 20_000);
    expect((await linesOf(pings)).find((line) => line.includes("packets transmitted"))).toMatch(
      /140 received, 0% packet loss/,
    );
    expect(await processesIn(node.pid, "wireguard-go")).toEqual(tunnels);
  });

  test("by leave: nothing of it is left on the host, and its daemon ends with 0", async () => {
    expect(must(await verb(amber, ["leave"]))).toMatch(/cluster amber left; everything of it on this host is undone/);
    expect(await endOf(amber.job)).toBe(0);
    const after = await inventory(node);
    for (const [what, text] of Object.entries(before)) expect({ [what]: after[what] }).toEqual({ [what]: text });
    expect(existsSync(join(amber.data, "identity.json"))).toBe(false);
    expect((await readdir(amber.data)).filter((name) => !/^(lock|daemon\.lock|admin\.)/.test(name))).toEqual([]);
  });

  test("the others lose its names, peers and routes within seconds", async () => {
    const from = scene.pods.birchClient;
    const gone = async () => ((await resolve(from, WEB)).ok ? err(`${WEB} still means something`) : ok(true));
    must(await eventually(gone, { timeoutMs: 3000 }));
    const { peers, imports } = must(
      await verbJson<{ peers: unknown[]; imports: { name: string }[] }>(birch, ["status"]),
    );
    expect([peers, imports.map(({ name }) => name)]).toEqual([[], ["ledger"]]);
    const elsewhere = firstNode(scene.clusters.birch);
    expect(await mustExec(elsewhere, ["wg", "show", "mrd0", "peers"])).toBe("");
    expect(await mustExec(elsewhere, ["ip", "route", "show", "proto", "77"])).toMatch(
      /^unreachable 242\.0\.0\.0\/8 \S.*\n$/,
    );
  });

  test("without a token it does not come back; with a new one it is a new member, with another prefix", async () => {
    const without = startGateway(scene.clusters.amber, { timeoutMs: 5000 });
    await expect(without).rejects.toThrow(/ended with 2\nmeridian: --join-token is missing/);
    amber = await startGateway(scene.clusters.amber, { token: await invite(broker, ["--cluster", "amber"]) });
    const page = must(await eventually(() => getOnce(scene.pods.birchClient, `http://${WEB}/`)));
    expect(page.cluster).toBe("amber");
    const live = (await listAllocations(broker)).filter(({ cluster, kind }) => cluster === "amber" && kind === "pods");
    expect(live.map(({ state, prefix }) => `${state} ${prefix}`).sort()).toEqual([
      "live 242.3.0.0/16",
      "quarantine 242.1.0.0/16",
    ]);
  });
});
