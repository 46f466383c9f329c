import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "#life";
import type { Ip } from "#values";
import type { CounterName } from "./base-chains.ts";
import type { ServiceEntry } from "./service-entry.ts";
import { HostLab } from "./testbed-lab.ts";
import { type Member, twoMembers } from "./testbed-members.ts";
import { exampleEntry, exampleServices } from "./testbed-plan.ts";
import { CLIENT, ECHO_SERVER, FLOOD } from "./testbed-scripts.ts";

const lab = new HostLab(`gn${process.pid}`);
let one: Member;
let two: Member;

/** Seen from member 1 and from member 2: a member's own endpoints are its pod addresses. */
function services(own: 1 | 2): ReadonlyMap<string, ServiceEntry> {
  const at = (member: 1 | 2): string => (own === member ? "10.244.0.10:8080" : `242.${member}.0.10:8080`);
  return exampleServices(
    exampleEntry("242.192.0.1 TCP 80", [at(1)]),
    exampleEntry("242.192.0.1 UDP 80", [at(1)]),
    exampleEntry("242.192.0.2 TCP 80", [at(2)]),
    exampleEntry("242.192.0.2 UDP 80", [at(2)]),
    exampleEntry("242.192.0.3 TCP 80", [at(1), at(2)], "client"),
  );
}

async function ask(space: string, kind: "tcp" | "udp", address: string, port: number): Promise<string> {
  return lab.run(space, CLIENT, kind, address, String(port));
}

async function pings(space: string, address: string): Promise<boolean> {
  return (await runCommand(["ip", "netns", "exec", space, "ping", "-c", "1", "-W", "1", address])).ok;
}

/** packets is a counter's packets. */
async function packets(member: Member, name: CounterName): Promise<number> {
  const counters = await member.globalnet.counters();
  if (!counters.ok) throw new Error(counters.error.stderr);
  return counters.value[name].packets;
}

beforeAll(async () => {
  [one, two] = await twoMembers(lab);
  for (const [member, own] of [
    [one, 1],
    [two, 2],
  ] as const) {
    const done = await member.globalnet.reconcile({ plan: member.plan, services: services(own) });
    if (!done.ok) throw new Error(done.error.stderr);
  }
});

afterAll(() => lab[Symbol.asyncDispose]());

describe.each(["tcp", "udp"] as const)("%s between members with the same pod CIDR", (kind) => {
  test("reaches a pod by its global address, both ways, and the server sees the client's global address", async () => {
    expect(await ask(one.pods[0], kind, "242.2.0.10", 8080)).toBe("saw 242.1.0.10");
    expect(await ask(two.pods[1], kind, "242.1.0.11", 8080)).toBe("saw 242.2.0.11");
  });

  test("reaches a service address from pods of both members", async () => {
    expect(await ask(one.pods[1], kind, "242.192.0.2", 80)).toBe("saw 242.1.0.11");
    expect(await ask(two.pods[0], kind, "242.192.0.1", 80)).toBe("saw 242.2.0.10");
  });

  test("reaches pods and services from a process of the node, which has the node's global address", async () => {
    expect(await ask(one.node, kind, "242.2.0.10", 8080)).toBe("saw 242.0.1.1");
    expect(await ask(one.node, kind, "242.192.0.2", 80)).toBe("saw 242.0.1.1");
    expect(await ask(two.node, kind, "242.192.0.1", 80)).toBe("saw 242.0.2.1");
  });

  test("reaches the own member's endpoint: by a pod, by a process of the node, and by the endpoint itself", async () => {
    expect(await ask(one.pods[1], kind, "242.192.0.1", 80)).toBe("saw 10.244.0.11");
    expect(await ask(one.node, kind, "242.192.0.1", 80)).toBe("saw 10.244.0.1");
    expect(await ask(one.pods[0], kind, "242.192.0.1", 80)).toBe("saw 10.244.0.1");
  });

  test("is refused at once on a service address without an entry", async () => {
    expect(await ask(one.pods[0], kind, "242.192.9.9", 80)).toBe("ECONNREFUSED");
    // A datagram of the node itself is refused by the system call: there is no route for an ICMP error to come by.
    expect(await ask(one.node, kind, "242.192.9.9", 80)).toBe(kind === "tcp" ? "ECONNREFUSED" : "EPERM");
    expect(await packets(one, "no-entry")).toBeGreaterThan(0);
    expect(await packets(one, "out-missing")).toBeGreaterThan(0);
  });
});

test("ping goes both ways, to pods and to nodes", async () => {
  expect(await pings(one.pods[0], "242.2.0.11")).toBe(true);
  expect(await pings(two.node, "242.1.0.10")).toBe(true);
  expect(await pings(two.pods[0], "242.0.1.1")).toBe(true);
});

test("affinity sends one client to one endpoint, every time", async () => {
  const answers = new Set<string>();
  for (let i = 0; i < 6; i += 1) answers.add(await ask(two.pods[0], "tcp", "242.192.0.3", 80));
  expect(answers.size).toBe(1);
});

test("a gateway passes on what is for another node, in both directions, and tracks nothing of it", async () => {
  const plain = await lab.space("plain");
  await lab.ip(two.node, [
    `link add up0 type veth peer name eth0 netns ${plain}`,
    "addr add 172.31.2.1/24 dev up0",
    "link set up0 up",
    "route add 10.244.5.0/24 via 172.31.2.9",
  ]);
  await lab.ip(plain, [
    "addr add 172.31.2.9/24 dev eth0",
    "addr add 10.244.5.10/32 dev lo",
    "link set eth0 up",
    "route add default via 172.31.2.1 src 10.244.5.10",
  ]);
  await lab.serve(plain, ECHO_SERVER);
  expect(await ask(one.pods[0], "tcp", "242.2.5.10", 8080)).toBe("saw 242.1.0.10");
  expect(await ask(plain, "tcp", "242.1.0.10", 8080)).toBe("saw 242.2.5.10");
  expect(await packets(two, "transit-in")).toBeGreaterThan(5);
  expect(await packets(two, "transit-out")).toBeGreaterThan(5);
  const tracked = await runCommand(["ip", "netns", "exec", two.node, "conntrack", "-L"]);
  expect(tracked.ok ? tracked.value : "").not.toContain("10.244.5.10");
});

describe("what comes from a tunnel", () => {
  test("reaches no process of a host: by the node's global address, by a bridge inside the pod CIDR", async () => {
    const before = await packets(two, "nodeguard");
    expect(await ask(one.pods[0], "tcp", "242.0.2.1", 8080)).toBe("silence");
    expect(await ask(one.pods[0], "tcp", "242.2.0.1", 8080)).toBe("silence");
    expect(await ask(one.pods[0], "udp", "242.2.0.255", 8080)).toBe("silence");
    expect(await packets(two, "nodeguard")).toBeGreaterThanOrEqual(before + 3);
  });

  test("reaches an exported host port and the daemon's own ports only while the plan has them", async () => {
    const ports = [{ protocol: "TCP", port: 8080 }] as const;
    const open = async (change: object) =>
      two.globalnet.reconcile({ plan: { ...two.plan, ...change }, services: services(2) });
    await open({ hostPorts: ports });
    expect(await ask(one.pods[0], "tcp", "242.0.2.1", 8080)).toBe("saw 242.1.0.10");
    await open({ daemonPorts: ports });
    expect(await ask(one.pods[0], "tcp", "242.0.2.1", 8080)).toBe("saw 242.1.0.10");
    expect(await open({})).toEqual({ ok: true, value: 1 });
    expect(await ask(one.pods[0], "tcp", "242.0.2.1", 8080)).toBe("silence");
  });

  test("finds no moment without a guard while the base table is replaced", async () => {
    const flood = lab.run(one.pods[0], FLOOD, "242.2.0.1", "8080", "20000");
    let over = false;
    const ended = flood.then(() => {
      over = true;
    });
    for (let k = 2; !over; k = 5 - k) {
      const node = { ...two.plan.node, global: `242.0.2.${k}` as Ip };
      await two.globalnet.reconcile({ plan: { ...two.plan, node }, services: services(2) });
    }
    await ended;
    expect(await flood).toBe("0");
    await two.globalnet.reconcile({ plan: two.plan, services: services(2) });
  });

  test("reaches no ClusterIP and no pod address as such", async () => {
    const before = await packets(two, "guard");
    await lab.ip(one.node, ["route add 10.96.0.10/32 via 242.0.2.1 dev mrd0 onlink", "addr add 242.1.9.9/32 dev lo"]);
    await one.globalnet.teardown();
    expect(await ask(one.node, "tcp", "10.96.0.10", 80)).toBe("silence");
    expect(await packets(two, "guard")).toBeGreaterThan(before);
  });

  test("carries no source but another member's: not an underlay's, not a service's, not our own", async () => {
    const bound = (source: string): string =>
      CLIENT.replace("{ host: address,", `{ localAddress: "${source}", host: address,`);
    await lab.ip(one.node, ["addr add 242.192.7.7/32 dev lo", "addr add 242.2.0.77/32 dev lo"]);
    for (const source of ["172.31.1.1", "242.192.7.7", "242.2.0.77"]) {
      const before = await packets(two, "guard");
      expect(await lab.run(one.node, bound(source), "tcp", "242.2.0.10", "8080")).toBe("silence");
      expect(await packets(two, "guard"), source).toBeGreaterThan(before);
    }
    expect(await lab.run(one.node, bound("242.1.9.9"), "tcp", "242.2.0.10", "8080")).toBe("saw 242.1.9.9");
  });
});
