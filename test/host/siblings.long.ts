import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addPod,
  busiestOf,
  carrierOf,
  createRun,
  type Downloaded,
  endOf,
  eventually,
  firstNode,
  get,
  getOnce,
  loseNode,
  mustExec,
  type Place,
  POD_HTTP_PORT,
  type Pod,
  raiseSiblings,
  reviveGateway,
  type SiblingScene,
  settled,
  startDownload,
  startGateway,
  startStream,
  sweepRun,
  verb,
  waitForLine,
} from "#lab";
import { err, expect as must, ok, parseIp } from "#values";

const DB = `db.shop.svc.clusterset.local:${POD_HTTP_PORT}`;
/** Three times what a single run is allowed; the proofs measure how long it is, many times. */
const MOST_HOLE_MS = 900;

/** Two gateways in amber, two in birch, and a plain node behind each pair: its pods are the ones that talk. */
describe("two gateways of a member", () => {
  let scene: SiblingScene;
  /** On a gateway of birch: there the service table is. */
  let client: Pod;

  beforeAll(async () => {
    const run = await createRun();
    try {
      scene = await raiseSiblings(run, { amber: 2, birch: 2 });
      client = await addPod(scene.birch.cluster, { name: "client", address: must(parseIp("10.244.1.20")) });
      await settled(scene);
    } catch (error) {
      await sweepRun(run);
      throw error;
    }
  });
  afterAll(() => (scene === undefined ? undefined : sweepRun(scene.run)));

  const nodes = () => [...scene.amber.cluster.members, ...scene.birch.cluster.members];
  const amberNode = (number: number) => {
    const node = scene.amber.cluster.members.find((member) => member.number === number);
    if (node === undefined) throw new Error(`amber has no node ${number}`);
    return node;
  };

  test("connections work by every combination of the ways out and back, and none counts as INVALID", async () => {
    const [there, back] = [scene.birch, scene.amber];
    await Promise.all(nodes().map(countTcp));
    const before = await Promise.all([...nodes().map(packets), ...nodes().map(invalid)]);
    const pages = await Promise.all([
      get(there.pod, `http://${back.podAddress}:${POD_HTTP_PORT}/`, 60),
      get(back.pod, `http://${there.podAddress}:${POD_HTTP_PORT}/`, 60),
    ]);
    expect(pages.map((page) => must(page).length)).toEqual([60, 60]);
    expect(new Set(must(pages[0]).map((page) => page.client))).toEqual(new Set([there.podAddress]));
    const after = await Promise.all([...nodes().map(packets), ...nodes().map(invalid)]);
    const grown = after.map((text, i) => difference(before[i] ?? "", text));
    // All four gateways carried some by both of their tunnels: of 60 connections each way a tunnel has 15 in the mean.
    const carried = [...grown.slice(0, 2), ...grown.slice(3, 5)];
    expect(carried.flat()).toHaveLength(8);
    expect(Math.min(...carried.flat()), JSON.stringify(carried)).toBeGreaterThan(10);
    expect(grown.slice(nodes().length).flat()).toEqual(nodes().map(() => 0));
  });

  test("a gateway that dies with its host cuts no connection, by headless name or service name; nor does its return", async () => {
    const byHost = await startDownload(scene.birch.pod, "by-headless-name", `http://${DB}/download?seconds=14`);
    const byService = await startDownload(
      client,
      "by-service",
      "http://web.shop.svc.clusterset.local/download?seconds=14",
    );
    await Promise.all([byHost, byService].map((job) => waitForLine(job, (line) => line.includes("started"))));
    const ask = { from: client, to: scene.amber.pod, address: scene.amber.podAddress };
    const stream = await startStream({ ...ask, port: 9100, seconds: 3 });
    const carrier = await carrierOf(firstNode(scene.birch.cluster), 9100);
    const victim = carrier === "mrd0" ? 1 : 2;
    await loseNode(scene.underlay, amberNode(victim));
    const cut = await stream.end();
    expect([cut.holes, cut.holeMs < MOST_HOLE_MS]).toEqual([1, true]);

    const whole = await startStream({ ...ask, port: 9101, seconds: 6 });
    await reviveGateway(scene, scene.amber, victim);
    await settled(scene);
    // That its return loses nothing is measured by `make prove` (keeps-2), on a machine that does nothing else.
    const { received, lost } = await whole.end();
    expect(lost).toBeLessThan(received / 10);
    for (const job of [byHost, byService]) {
      const done = JSON.parse(await waitForLine(job, (line) => line.includes("done"))) as Downloaded;
      expect(done.good).toBe(true);
    }
  });

  test("a gateway that lost only its tunnels to one member hands its packets to its sibling, which hands none back", async () => {
    const ask = { from: scene.amber.pod, to: scene.birch.pod, address: scene.birch.podAddress };
    const stream = await startStream({ ...ask, port: 9110, seconds: 4 });
    const node = await busiestOf([amberNode(1), amberNode(2)]);
    await mustExec(node, ["nft", "-f", "-"], { stdin: CUT });
    const cut = await stream.end();
    expect([cut.holes, cut.holeMs < MOST_HOLE_MS]).toEqual([1, true]);
    expect(await mustExec(node, ["ip", "route", "get", "242.2.3.10"])).toMatch(/via 172\.31\.0\.\d+ dev eth0/);

    const other = amberNode(3 - node.number);
    await mustExec(other, ["nft", "-f", "-"], { stdin: CUT });
    const refused = async () => {
      const page = await getOnce(scene.amber.pod, `http://${scene.birch.podAddress}:${POD_HTTP_PORT}/`);
      return !page.ok && /ENETUNREACH/.test(page.error) ? ok(page.error) : err(JSON.stringify(page));
    };
    must(await eventually(refused));
    for (const cutOff of [node, other]) await mustExec(cutOff, ["nft", "delete", "table", "ip", "cut"]);
    await settled(scene);
  });

  test("drain loses no packet, and the gateway ends; started again it is used again", async () => {
    const ask = { from: client, to: scene.amber.pod, address: scene.amber.podAddress };
    const stream = await startStream({ ...ask, port: 9120, seconds: 16 });
    const back = await startStream({
      ...{ from: scene.amber.pod, to: scene.birch.pod, address: scene.birch.podAddress },
      ...{ port: 9121, seconds: 16 },
    });
    const carrier = await carrierOf(firstNode(scene.birch.cluster), 9120);
    const drained = carrier === "mrd0" ? 1 : 2;
    const daemon = scene.amber.gateways[drained - 1];
    if (daemon === undefined) throw new Error("no such gateway");
    const said = must(await verb(daemon, ["drain", "--timeout", "3s"], { timeoutMs: 25_000 }));
    expect(said).toMatch(new RegExp(`^amber-${drained} carries nothing any more, after \\d+ s, and stops`));
    expect(await endOf(daemon.job)).toBe(0);
    expect([await stream.end(), await back.end()]).toMatchObject([{ lost: 0 }, { lost: 0 }]);
    scene.amber.gateways[drained - 1] = await startGateway(scene.amber.cluster, { node: drained });
    await settled(scene);
    const { peers } = JSON.parse(must(await verb(scene.birch.gateways[0] ?? daemon, ["status", "-o", "json"])));
    expect(peers).toMatchObject([{ draining: false }, { draining: false }]);
  });
});

/** What a firewall in between would do to one gateway's tunnels: nothing goes or comes by WireGuard's ports. */
const CUT = `table ip cut {
  chain in { type filter hook prerouting priority -500; policy accept; iifname "eth0" udp dport 51820-51827 drop; }
  chain out { type filter hook output priority -500; policy accept; oifname "eth0" udp dport 51820-51827 drop; }
}
`;

/** countTcp begins to count what leaves by each tunnel, probes left out. */
async function countTcp(place: Place): Promise<void> {
  const rules = ["mrd0", "mrd1"].map((link) => `oifname ${link} meta l4proto tcp counter;`).join(" ");
  const chain = `chain out { type filter hook postrouting priority 400; ${rules} }`;
  await mustExec(place, ["nft", `table inet counting { ${chain}; }`]);
}

/** Packets that left by each tunnel. */
async function packets(place: Place): Promise<string> {
  const text = await mustExec(place, ["nft", "list", "table", "inet", "counting"]);
  return [...text.matchAll(/counter packets (\d+)/g)].map(([, count]) => count).join(" ");
}

/** Packets that a kube-proxy of the laboratory dropped as INVALID. */
async function invalid(place: Place): Promise<string> {
  const chain = await mustExec(place, ["nft", "list", "chain", "ip", "kube-proxy-like", "filter-forward"]);
  return /ct state invalid counter packets (\d+)/.exec(chain)?.[1] ?? "?";
}

function difference(before: string, after: string): readonly number[] {
  const was = before.split(" ").map(Number);
  return after.split(" ").map((count, i) => Number(count) - (was[i] ?? 0));
}
