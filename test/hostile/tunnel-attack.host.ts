import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkPrefixes,
  checkServiceAddress,
  eventually,
  firstNode,
  getOnce,
  globalAddress,
  linesOf,
  mustExec,
  NAMESPACE,
  nameOf,
  POD_UDP_PORT,
  type Prefixes,
  spawnIn,
  startStream,
  UNDERLAY_ADDRESS,
  WEB_CLUSTER_IP,
  waitForLine,
} from "#lab";
import { addressAt, err, type Ip, expect as must, ok, parseIp, type Result } from "#values";
import { type Raised, raise } from "../host/host-clusterset.ts";
import { PAYLOAD, sendRaw } from "./raw-packets.ts";
import { Arrivals, countersOf, receivedOf, tunnelWitnessOf } from "./tunnel-witness.ts";

/** Each attack is so many packets, from a port of its own. */
const PACKETS = 50;
const HOST_PORT = 7777;
const ip = (text: string): Ip => must(parseIp(text));

interface Attack {
  readonly name: string;
  readonly from: (all: Addresses) => Ip;
  readonly to: (all: Addresses) => Ip;
  readonly port: number;
  /** The counter that shows it; `wireguard`: it never leaves the tunnel. */
  readonly stopped: "guard" | "nodeguard" | "wireguard";
}

/** Addresses that an attacker knows: all but its own and the third member's are the victim's. */
interface Addresses {
  readonly own: Ip;
  readonly pod: Ip;
  readonly node: Ip;
  readonly service: Ip;
  readonly underlay: Ip;
  readonly bridge: Ip;
  readonly third: Ip;
  readonly thirdNode: Ip;
}

const own = ({ own }: Addresses): Ip => own;
const pod = ({ pod }: Addresses): Ip => pod;

const ATTACKS: readonly Attack[] = [
  { name: "a ClusterIP", from: own, to: () => WEB_CLUSTER_IP, port: POD_UDP_PORT, stopped: "guard" },
  { name: "a pod by its own address", from: own, to: () => ip("10.244.1.10"), port: POD_UDP_PORT, stopped: "guard" },
  { name: "a service address", from: own, to: ({ service }) => service, port: POD_UDP_PORT, stopped: "guard" },
  { name: "the node on its underlay", from: own, to: ({ underlay }) => underlay, port: HOST_PORT, stopped: "guard" },
  { name: "the broker", from: own, to: () => ip(UNDERLAY_ADDRESS), port: 7443, stopped: "guard" },
  { name: "the loopback", from: own, to: () => ip("127.0.0.1"), port: HOST_PORT, stopped: "guard" },
  { name: "a third member's pod", from: own, to: ({ third }) => third, port: POD_UDP_PORT, stopped: "guard" },
  { name: "a third member's node", from: own, to: ({ thirdNode }) => thirdNode, port: HOST_PORT, stopped: "guard" },
  { name: "everybody", from: own, to: () => ip("255.255.255.255"), port: HOST_PORT, stopped: "guard" },
  { name: "a port of the node", from: own, to: ({ node }) => node, port: HOST_PORT, stopped: "nodeguard" },
  { name: "the node by its bridge", from: own, to: ({ bridge }) => bridge, port: HOST_PORT, stopped: "nodeguard" },
  { name: "a pod, as a third member's pod", from: ({ third }) => third, to: pod, port: 1, stopped: "wireguard" },
  {
    name: "a pod, as a third member's node",
    from: ({ thirdNode }) => thirdNode,
    to: pod,
    port: 1,
    stopped: "wireguard",
  },
  { name: "a pod, as another pod of its member", from: pod, to: pod, port: 1, stopped: "wireguard" },
  { name: "a pod, as its own node", from: ({ node }) => node, to: pod, port: 1, stopped: "wireguard" },
  { name: "a pod, as one untranslated", from: () => ip("10.244.1.11"), to: pod, port: 1, stopped: "wireguard" },
  { name: "a pod, as a service address", from: ({ service }) => service, to: pod, port: 1, stopped: "wireguard" },
  { name: "a pod, as the node's loopback", from: () => ip("127.0.0.1"), to: pod, port: 1, stopped: "wireguard" },
  { name: "a pod, as the broker", from: () => ip(UNDERLAY_ADDRESS), to: pod, port: 1, stopped: "wireguard" },
];
/** How far the packets of an attack come. */
const PASSED = {
  guard: { arrived: PACKETS, guarded: 0, admitted: 0 },
  nodeguard: { arrived: PACKETS, guarded: PACKETS, admitted: 0 },
  wireguard: { arrived: 0, guarded: 0, admitted: 0 },
} as const;
const portOf = (at: number): number => 41_000 + at;
const HONEST_PORT = 40_999;

/** Birch's gateway is in hostile hands: it sends what it likes through its tunnel to amber. Cedar is a third member. */
describe("a member that sends through its tunnel what it must not", () => {
  let raised: Raised;
  let all: Addresses;
  let atAmber: Arrivals;
  let atCedar: Arrivals;
  /** Birch's key, as amber's WireGuard knows it. */
  let birchKey: string;
  /** Has birch's WireGuard send everything there is to amber: its daemon takes that back whenever it looks. */
  let bend: () => Promise<unknown>;

  const amber = () => firstNode(raised.scene.clusters.amber);
  const birch = () => firstNode(raised.scene.clusters.birch);
  const cedar = () => firstNode(raised.scene.clusters.cedar);

  beforeAll(async () => {
    raised = await raise();
    const prefixes = await checkPrefixes(raised.set);
    const of = (name: string): Prefixes => prefixes.get(name) ?? (undefined as never);
    const { birchClient, amberWeb, cedarWeb } = raised.scene.pods;
    all = {
      own: globalAddress(of("birch"), birchClient),
      pod: globalAddress(of("amber"), amberWeb),
      node: addressAt(of("amber").nodes, 1n),
      service: await checkServiceAddress(raised.set, NAMESPACE, "web"),
      underlay: amber().address,
      bridge: globalAddress(of("amber"), { ...amberWeb, address: amber().bridge }),
      third: globalAddress(of("cedar"), cedarWeb),
      thirdNode: addressAt(of("cedar").nodes, 1n),
    };
    const ports = [HONEST_PORT, ...ATTACKS.map((_, at) => portOf(at))];
    const reached = () => getOnce(birchClient, `http://${nameOf("web")}/`);
    must(await eventually(reached, { timeoutMs: 20_000, everyMs: 200 }));
    birchKey = await peerWith(amber(), of("birch").pods);
    const amberKey = await peerWith(birch(), of("amber").pods);
    const theirs = [of("amber"), of("cedar")].flatMap(({ pods, nodes }) => [pods, nodes]);
    const everything = [...theirs, "0.0.0.0/1", "128.0.0.0/1"].join(",");
    bend = () => mustExec(birch(), ["wg", "set", "mrd0", "peer", amberKey, "allowed-ips", everything]);
    [atAmber, atCedar] = [await Arrivals.watch(amber(), ports), await Arrivals.watch(cedar(), ports)];
  });
  afterAll(() => raised?.down());

  test("reaches a pod with honest packets sent the same way: the attacks below do arrive", async () => {
    const before = await countersOf(amber(), "meridian");
    const packet = { from: all.own, to: all.pod, sourcePort: HONEST_PORT, port: POD_UDP_PORT };
    await sendRaw(birch(), "mrd0", [packet], PACKETS);
    const whole = { arrived: PACKETS, guarded: PACKETS, admitted: PACKETS };
    await expect.poll(() => atAmber.of(HONEST_PORT)).toEqual(whole);
    const after = await countersOf(amber(), "meridian");
    expect((after["carried-in"] ?? 0) - (before["carried-in"] ?? 0)).toBeGreaterThanOrEqual(PACKETS);
  });

  test.each(ATTACKS.map((attack, at) => [attack.name, attack.stopped, attack, portOf(at)] as const))(
    "does not reach %s: stopped by %s",
    async (_, stopped, { from, to, port }, sourcePort) => {
      const before = { counters: await countersOf(amber(), "meridian") };
      // Birch's daemon may look between the two: then nothing has left, and it is done again.
      const attack = async (): Promise<Result<number>> => {
        const bytes = await bytesFromBirch();
        await bend();
        await sendRaw(birch(), "mrd0", [{ from: from(all), to: to(all), sourcePort, port }], PACKETS);
        for (const end = performance.now() + 2000; performance.now() < end; ) {
          const grown = (await bytesFromBirch()) - bytes;
          if (grown > PACKETS * PAYLOAD) return ok(grown);
        }
        return err("not all of it has come");
      };
      must(await eventually(attack, { timeoutMs: 10_000 }));
      const after = await countersOf(amber(), "meridian");
      const grown = (name: string): number => (after[name] ?? 0) - (before.counters[name] ?? 0);
      if (stopped !== "wireguard") {
        await expect.poll(async () => (await atAmber.of(sourcePort)).arrived).toBe(PACKETS);
        // What birch sends to cedar comes here as well while its tunnel is bent.
        expect(grown(stopped)).toBeGreaterThanOrEqual(PACKETS);
      }
      expect(await atAmber.of(sourcePort)).toEqual(PASSED[stopped]);
      expect(grown("transit-in")).toBe(0);
      expect(await atCedar.of(sourcePort)).toEqual(PASSED.wireguard);
    },
  );

  test("changes no rule, route or peer of its victim, reaches no process, and its honest traffic loses nothing", async () => {
    const listener = await spawnIn(amber(), "listener", [process.execPath, "-e", LISTEN, String(HOST_PORT)]);
    await waitForLine(listener, (line) => line === "listening");
    const { birchClient, amberWeb } = raised.scene.pods;
    const stream = await startStream({
      from: birchClient,
      to: amberWeb,
      address: all.pod,
      port: 9200,
      rate: 200,
      seconds: 6,
    });
    const before = await tunnelWitnessOf(amber());
    const packets = ATTACKS.map(({ from, to, port }, at) => ({
      from: from(all),
      to: to(all),
      sourcePort: portOf(at),
      port,
    }));
    for (let round = 0; round < 20; round += 1) {
      await bend();
      await sendRaw(birch(), "mrd0", packets, 2);
    }
    expect(await tunnelWitnessOf(amber())).toEqual(before);
    const { lost, received } = await stream.end();
    expect({ lost, enough: received > 1000 }).toEqual({ lost: 0, enough: true });
    expect(must(await getOnce(birchClient, `http://${nameOf("web")}/`)).cluster).toBe("amber");
    await mustExec(amber(), ["bash", "-c", `echo hello > /dev/udp/127.0.0.1/${HOST_PORT}`]);
    await waitForLine(listener, (line) => line.startsWith("heard"));
    expect((await linesOf(listener)).filter((line) => line.startsWith("heard"))).toEqual(["heard 127.0.0.1"]);
  });

  const bytesFromBirch = (): Promise<number> => receivedOf(amber(), "mrd0", birchKey);
});

/** The key of the peer to which a gateway's first interface sends a prefix. */
async function peerWith(gateway: ReturnType<typeof firstNode>, prefix: string): Promise<string> {
  const find = async () => {
    const rows = (await mustExec(gateway, ["wg", "show", "mrd0", "allowed-ips"])).split("\n");
    const key = rows.find((row) => row.split(/\s+/).includes(prefix))?.split("\t")[0];
    return key === undefined ? err(`${gateway.name} has no peer with ${prefix}`) : ok(key);
  };
  return must(await eventually(find, { timeoutMs: 20_000, everyMs: 200 }));
}

const LISTEN = `
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (_, { address }) => console.log("heard " + address));
socket.bind(Number(process.argv[1]), () => console.log("listening"));`;
