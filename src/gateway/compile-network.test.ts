import { describe, expect, test } from "vitest";
import type { NodeName } from "#values";
import type { Catalogue, Envelope } from "#wire";
import { compileNetwork, type NetworkView, nodeAddress, placeOf, prefixesOf, wayId } from "./compile-network.ts";
import { candidatesOf, catalogueOf, cidr, GW, grant, ip, SERVICES, SUPERNET, TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const birch = new TestMember("birch", 2);
const cedar = new TestMember("cedar", 3);

function view(catalogue: Catalogue, change: Partial<NetworkView> = {}): NetworkView {
  return {
    ...{ catalogue, own: amber.cluster, gateway: GW, supernet: SUPERNET, servicePrefix: SERVICES },
    ...{ nodeLocal: ip("172.31.0.11"), listenPort: 51_820, mtu: 1440, underlayLinks: ["eth0"], localLinks: ["cni0"] },
    ...{ neighbours: new Map(), underlayMtu: 1500, nodes: [], nodeWay: "auto", leaving: false, isUp: () => true },
    ...change,
  };
}

/** compiled is amber's network when the catalogue has these records beside its own. */
function compiled(records: readonly Envelope[], change: Partial<NetworkView> = {}) {
  const network = compileNetwork(view(catalogueOf(...amber.joined(), ...records), change));
  if (network === undefined) throw new Error("amber has no place");
  return network;
}

describe("placeOf()", () => {
  test("is what this gateway was granted", () => {
    expect(placeOf(catalogueOf(...amber.joined()), amber.cluster, GW)).toEqual({
      ...{ index: 0, node: "242.0.1.1", nodePrefix: "242.0.1.0/24" },
      pods: [{ local: "10.244.0.0/16", global: "242.1.0.0/16" }],
    });
  });

  test.each([
    ["nothing was granted", catalogueOf(), GW],
    ["another gateway was", catalogueOf(...amber.joined()), "other" as NodeName],
    ["no node prefix was", catalogueOf(grant(...amber.entries().filter(({ kind }) => kind !== "nodes"))), GW],
  ])("is undefined while %s", (_, catalogue, name) => {
    expect(placeOf(catalogue, amber.cluster, name)).toBeUndefined();
  });

  test("nodeAddress() leaves the network's own address free", () => {
    expect(nodeAddress(cidr("242.0.1.0/24"), 0)).toBe("242.0.1.1");
    expect(nodeAddress(cidr("242.0.1.0/24"), 7)).toBe("242.0.1.8");
  });
});

describe("compileNetwork()", () => {
  test("is undefined before this gateway has its place", () => {
    expect(compileNetwork(view(catalogueOf()))).toBeUndefined();
  });

  test("alone in the clusterset there is one interface, without peers", () => {
    const { tunnels, targets } = compiled([]);
    expect(tunnels.interfaces).toEqual([{ index: 0, listenPort: 51_820, mtu: 1440, peers: [] }]);
    expect([tunnels.members, targets]).toEqual([[], []]);
  });

  test("a peer may send what its member owns, and is found at the endpoint of our index", () => {
    const { tunnels, targets } = compiled([...birch.joined(), birch.gateway()]);
    expect(tunnels.interfaces[0]?.peers).toEqual([
      {
        publicKey: expect.any(String),
        endpoint: { host: "198.51.100.2", port: 51_820 },
        allowedIps: ["242.0.2.0/24", "242.2.0.0/16"],
        keepaliveSeconds: 25,
      },
    ]);
    expect(targets).toEqual([{ id: "birch/gw", address: "242.0.2.1", interface: "mrd0" }]);
    expect(tunnels.members).toEqual([
      {
        cluster: "birch",
        prefixes: ["242.0.2.0/24", "242.2.0.0/16"],
        ways: [{ interface: 0, gateway: "242.0.2.1", up: true, draining: false }],
      },
    ]);
  });

  test("interface i holds the index-i gateways of all others, and listens on port base + i", () => {
    const second = { kind: "gateway", ...birch.who, name: "b" as NodeName, index: 2 } as const;
    const { tunnels } = compiled([
      ...[...birch.joined(), ...cedar.joined(), grant(second)],
      ...[birch.gateway(), birch.gateway({ name: "b", index: 2, address: "242.0.2.3" }), cedar.gateway()],
    ]);
    expect(tunnels.interfaces.map(({ index, listenPort, peers }) => [index, listenPort, peers.length])).toEqual([
      [0, 51_820, 2],
      [2, 51_822, 1],
    ]);
    expect(tunnels.members.find(({ cluster }) => cluster === "birch")?.ways).toHaveLength(2);
  });

  test("a way that was not judged yet is neither up nor down", () => {
    const { tunnels } = compiled([...birch.joined(), birch.gateway()], { isUp: () => undefined });
    expect(tunnels.members[0]?.ways[0]?.up).toBeNull();
  });

  test("a member that left has no peer, no route and no probe any more", () => {
    const catalogue = catalogueOf(...amber.joined(), ...birch.joined(), birch.gateway());
    catalogue.apply(candidatesOf(birch.leave()));
    const network = compileNetwork(view(catalogue));
    expect([network?.tunnels.interfaces[0]?.peers, network?.tunnels.members, network?.targets]).toEqual([[], [], []]);
  });

  test("equal catalogues give equal networks, whatever the order of the records", () => {
    const records = [...birch.joined(), ...cedar.joined(), birch.gateway(), cedar.gateway()];
    expect(compiled([...records].reverse())).toEqual(compiled(records));
  });

  test.each([
    ["loopback", "127.0.0.1:51820"],
    ["link-local", "169.254.1.1:51820"],
    ["multicast", "224.0.0.1:51820"],
    ["an address of the clusterset", "242.1.0.1:51820"],
    ["port 0", "198.51.100.2:0"],
  ])("no tunnel is pointed at %s: that peer has to dial us", (_, endpoint) => {
    const { tunnels } = compiled([...birch.joined(), birch.gateway({ endpoints: Array(8).fill(endpoint) })]);
    expect(tunnels.interfaces[0]?.peers[0]?.endpoint).toBeNull();
  });

  test("what is granted anew replaces what was released", () => {
    const catalogue = catalogueOf(...amber.joined(), ...birch.joined(), birch.gateway());
    const pods = { kind: "pods", ...birch.who, local: cidr("10.244.0.0/16"), prefix: cidr("242.77.0.0/16") } as const;
    catalogue.apply(candidatesOf(grant({ kind: "release", prefix: cidr("242.2.0.0/16") }, pods)));
    expect(prefixesOf(catalogue, birch.cluster)).toEqual(["242.0.2.0/24", "242.77.0.0/16"]);
    expect(compileNetwork(view(catalogue))?.tunnels.members[0]?.prefixes).toContain("242.77.0.0/16");
  });

  test("translation has this node, its member's prefixes, and only the daemon's own ports open", () => {
    expect(compiled([]).globalnet).toMatchObject({
      node: { local: "172.31.0.11", global: "242.0.1.1" },
      pods: [{ local: "10.244.0.0/16", global: "242.1.0.0/16" }],
      hostPorts: [],
      daemonPorts: [
        { protocol: "UDP", port: 7720 },
        { protocol: "TCP", port: 7720 },
      ],
    });
  });
});

describe("compileNetwork() towards a member that is reached directly", () => {
  const catalogue = catalogueOf(
    ...[...amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16"), ...cedar.joined(), cedar.gateway()],
  );
  const network = compileNetwork(view(catalogue));

  test("its pods have their own addresses, here and in its tunnel; those of another stay global", () => {
    expect(network?.tunnels.members.map(({ cluster, prefixes }) => [cluster, ...prefixes])).toEqual([
      ["birch", "10.2.0.0/16", "242.0.2.0/24"],
      ["cedar", "242.0.3.0/24", "242.3.0.0/16"],
    ]);
    expect(network?.tunnels.interfaces[0]?.peers.map(({ allowedIps }) => allowedIps[0])).toEqual([
      "10.2.0.0/16",
      "242.0.3.0/24",
    ]);
  });

  test("what is not translated towards it, and may not leave in clear, is said", () => {
    expect(network?.globalnet).toMatchObject({
      pods: [{ local: "10.1.0.0/16", global: "242.1.0.0/16" }],
      direct: { pods: ["10.2.0.0/16"], nodes: ["242.0.2.0/24"] },
    });
    expect(network?.tunnels.direct).toEqual(["10.2.0.0/16"]);
    expect([...(network?.modes ?? [])].map(([cluster, { kind }]) => [cluster, kind])).toEqual([
      ["birch", "direct"],
      ["cedar", "globalnet"],
    ]);
  });
});

describe("compileNetwork() gives no member what is another's (T1)", () => {
  test("a prefix that overlaps an older member's stays with that one", () => {
    const thief = new TestMember("zebra", 9);
    const catalogue = catalogueOf(...amber.joined(), ...birch.joined(), birch.gateway());
    const pods = { kind: "pods", ...thief.who, local: cidr("10.0.0.0/17"), prefix: cidr("242.2.128.0/17") } as const;
    catalogue.apply(candidatesOf(grant(pods), thief.member()));
    expect(prefixesOf(catalogue, thief.cluster)).toEqual([]);
    const peers = compileNetwork(view(catalogue))?.tunnels.interfaces[0]?.peers ?? [];
    const all = peers.flatMap(({ allowedIps }) => allowedIps);
    expect(new Set(all).size).toBe(all.length);
  });
});

test("wayId() names a way", () => {
  expect(wayId(birch.cluster, GW)).toBe("birch/gw");
});
