import { describe, expect, test } from "vitest";
import type { Cidr, Ip, TunnelKey } from "#values";
import { applySteps, resultOf } from "./apply.ts";
import { FakeKernel } from "./fake-kernel.ts";
import type { NodeGateway, NodePlan } from "./node-plan.ts";
import { plan, planTeardown } from "./plan.ts";
import type { Step } from "./step.ts";

const OWN = Buffer.alloc(32, 1).toString("base64") as TunnelKey;
const gateway = (index: number, more: Partial<NodeGateway> = {}): NodeGateway => ({
  ...{ index, global: `242.0.1.${index + 1}` as Ip, local: `172.31.0.1${index}` as Ip, link: "eth0" },
  ...{ up: true, draining: false, ...more },
});
const planOf = (...gateways: readonly NodeGateway[]): NodePlan => ({
  supernet: "242.0.0.0/8" as Cidr,
  servicePrefix: "242.192.0.0/10" as Cidr,
  direct: [],
  node: { local: "172.31.0.19" as Ip, global: "242.0.1.9" as Ip },
  gateways,
  overlay: null,
  underlayLinks: [],
});

/** afar is planOf with those gateways on the overlay that are on no link. */
function afar(...gateways: readonly NodeGateway[]): NodePlan {
  const peers = gateways.filter(({ link }) => link === null).map(({ global, local }) => ({ global, local }));
  const device = { local: "172.31.0.19" as Ip, address: "242.0.1.9/32" as Cidr, mtu: 1450 };
  return { ...planOf(...gateways), overlay: { ...device, peers } };
}

async function settle(kernel: FakeKernel, want: NodePlan): Promise<readonly string[]> {
  const steps = plan(kernel.state(), want);
  expect(resultOf(steps, await applySteps(steps, kernel))).toMatchObject({ ok: true });
  expect(plan(kernel.state(), want)).toEqual([]);
  return steps.map(text);
}

function text(step: Step): string {
  if (step.kind === "ip") return step.line;
  if (step.kind === "bridge") return `bridge ${step.line}`;
  return step.kind === "sysctl" ? `sysctl ${step.name}=${step.value}` : step.kind;
}

const GROUP = 0x4d000000;
const [A0, A1, B0, B1] = [1308491776, 1308491777, 1308491778, 1308491779];

describe("plan() of a node without a gateway", () => {
  test("pods that are reached untranslated have the same way as the supernet, and no other", async () => {
    const steps = await settle(new FakeKernel(OWN), { ...planOf(gateway(0)), direct: ["10.2.0.0/16" as Cidr] });
    expect(steps.filter((line) => line.includes("10.2.0.0/16"))).toEqual([
      "route add unreachable 10.2.0.0/16 metric 4278198272 proto 77",
      `route add 10.2.0.0/16 nhid ${GROUP} src 172.31.0.19 proto 77`,
    ]);
  });

  test("leads the supernet to the gateways, each with one run of the buckets, behind a standing unreachable", async () => {
    expect(await settle(new FakeKernel(OWN), planOf(gateway(0), gateway(1)))).toEqual([
      "route add unreachable 242.0.0.0/8 metric 4278198272 proto 77",
      "route append local 242.0.1.9/32 dev lo table 255 proto 77",
      "sysctl net/ipv4/ip_forward=1",
      "sysctl net/ipv4/fib_multipath_hash_policy=1",
      "sysctl net/ipv4/conf/eth0/rp_filter=2",
      `nexthop add id ${A0} via 172.31.0.10 dev eth0 proto 77`,
      `nexthop add id ${A1} via 172.31.0.10 dev eth0 proto 77`,
      `nexthop add id ${B0} via 172.31.0.11 dev eth0 proto 77`,
      `nexthop add id ${B1} via 172.31.0.11 dev eth0 proto 77`,
      `nexthop add id ${GROUP} group ${A0}/${A1}/${B0}/${B1} type resilient buckets 128 idle_timer 10 unbalanced_timer 120 proto 77`,
      `route add 242.0.0.0/8 nhid ${GROUP} src 172.31.0.19 proto 77`,
      "route add 242.0.1.1/32 via 172.31.0.10 src 172.31.0.19 proto 77",
      "route add 242.0.1.2/32 via 172.31.0.11 src 172.31.0.19 proto 77",
      "route add 242.192.0.0/10 dev lo src 172.31.0.19 table 7701 proto 77",
      expect.stringMatching(/^rule add pref 7701 /),
    ]);
  });

  test("a gateway that does not answer leaves the group, and nothing else changes", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(gateway(0), gateway(1)));
    expect(await settle(kernel, planOf(gateway(0, { up: false }), gateway(1)))).toEqual([
      expect.stringMatching(new RegExp(`^nexthop replace id ${GROUP} group ${B0}/${B1} type resilient`)),
    ]);
  });

  test("where none answers the group stays: the fault is as likely here", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(gateway(0), gateway(1, { up: false })));
    expect(await settle(kernel, planOf(gateway(0, { up: false }), gateway(1, { up: false })))).toEqual([]);
  });

  test("a daemon that starts adopts what it finds, before it has heard anybody", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(gateway(0), gateway(1, { up: false })));
    expect(await settle(kernel, planOf(gateway(0, { up: null }), gateway(1, { up: null })))).toEqual([]);
  });

  test("a gateway that drains keeps its flows and gets no new ones", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(gateway(0), gateway(1)));
    expect(await settle(kernel, planOf(gateway(0, { draining: true }), gateway(1)))).toEqual([
      expect.stringMatching(new RegExp(`group ${B0},256/${B1},256/${A0}/${A1} `)),
    ]);
  });

  test("a gateway that moved is reached where it is, in place", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(gateway(0)));
    expect(await settle(kernel, planOf(gateway(0, { local: "172.31.0.77" as Ip })))).toEqual([
      `nexthop replace id ${A0} via 172.31.0.77 dev eth0 proto 77`,
      `nexthop replace id ${A1} via 172.31.0.77 dev eth0 proto 77`,
      "route replace 242.0.1.1/32 via 172.31.0.77 src 172.31.0.19 proto 77",
    ]);
  });

  test("a gateway behind a router is reached by the overlay, whose neighbours are written down", async () => {
    const kernel = new FakeKernel(OWN);
    expect(await settle(kernel, afar(gateway(0), gateway(1, { link: null })))).toEqual([
      "route add unreachable 242.0.0.0/8 metric 4278198272 proto 77",
      "route append local 242.0.1.9/32 dev lo table 255 proto 77",
      "link add meridian-vx address 0a:4d:ac:1f:00:13 mtu 1450 type vxlan id 77 dstport 7722 local 172.31.0.19 nolearning",
      "sysctl net/ipv4/ip_forward=1",
      "sysctl net/ipv4/fib_multipath_hash_policy=1",
      "sysctl net/ipv4/conf/eth0/rp_filter=2",
      "sysctl net/ipv4/conf/meridian-vx/rp_filter=2",
      "addr add 242.0.1.9/32 dev meridian-vx",
      "link set dev meridian-vx up",
      "neigh replace 242.0.1.2 lladdr 0a:4d:ac:1f:00:0b dev meridian-vx nud permanent",
      "bridge fdb replace 0a:4d:ac:1f:00:0b dev meridian-vx dst 172.31.0.11 self permanent",
      `nexthop add id ${A0} via 172.31.0.10 dev eth0 proto 77`,
      `nexthop add id ${A1} via 172.31.0.10 dev eth0 proto 77`,
      `nexthop add id ${B0} via 242.0.1.2 dev meridian-vx onlink proto 77`,
      `nexthop add id ${B1} via 242.0.1.2 dev meridian-vx onlink proto 77`,
      expect.stringMatching(new RegExp(`^nexthop add id ${GROUP} group ${A0}/${A1}/${B0}/${B1} `)),
      `route add 242.0.0.0/8 nhid ${GROUP} src 172.31.0.19 proto 77`,
      "route add 242.0.1.1/32 via 172.31.0.10 src 172.31.0.19 proto 77",
      "route add 242.0.1.2/32 dev meridian-vx src 172.31.0.19 proto 77",
      "route add 242.192.0.0/10 dev lo src 172.31.0.19 table 7701 proto 77",
      expect.stringMatching(/^rule add pref 7701 /),
    ]);
  });

  test("an overlay whose own address changed is made anew, with all that hung on it", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, afar(gateway(0, { link: null })));
    const moved = afar(gateway(0, { link: null }));
    const steps = await settle(kernel, {
      ...moved,
      overlay: moved.overlay && { ...moved.overlay, local: "172.31.0.77" as Ip },
    });
    expect(steps.slice(0, 2)).toEqual([
      "link del dev meridian-vx",
      expect.stringMatching(/^link add meridian-vx address 0a:4d:ac:1f:00:4d /),
    ]);
    expect(steps.filter((line) => line.startsWith("nexthop add"))).toHaveLength(3);
  });

  test("peers come and go one by one; with the last the overlay goes", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, afar(gateway(0, { link: null }), gateway(1, { link: null })));
    expect((await settle(kernel, afar(gateway(0, { link: null })))).slice(-2)).toEqual([
      "neigh del 242.0.1.2 dev meridian-vx",
      "bridge fdb del 0a:4d:ac:1f:00:0b dev meridian-vx dst 172.31.0.11 self",
    ]);
    expect((await settle(kernel, planOf(gateway(0)))).at(-1)).toBe("link del dev meridian-vx");
    expect(kernel.state().overlay).toBeNull();
  });

  test("without a gateway next to it nothing leaves", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf());
    const state = kernel.state();
    expect(state.routes.filter(({ dst }) => dst === "242.0.0.0/8").map(({ type }) => type)).toEqual(["unreachable"]);
  });

  test("a teardown leaves nothing", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, afar(gateway(0), gateway(1, { link: null })));
    await applySteps(planTeardown(kernel.state()), kernel);
    const { routes, nexthops, groups, rules, overlay } = kernel.state();
    expect([routes.length, nexthops.size, groups.size, rules.length, overlay]).toEqual([0, 0, 0, 0, null]);
  });
});
