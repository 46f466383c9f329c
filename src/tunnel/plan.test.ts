import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TunnelKey } from "#values";
import { applySteps } from "./apply.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { groupText, linkOf } from "./nexthops.ts";
import { indexOf } from "./ours.ts";
import { plan, planTeardown } from "./plan.ts";
import type { Step } from "./step.ts";
import { type Gateway, globalOf, ip, planOf } from "./testbed-plan.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";
import { emptyState, type TunnelState } from "./tunnel-state.ts";

const OWN = key(0);

function key(n: number): TunnelKey {
  return Buffer.alloc(32, n).toString("base64") as TunnelKey;
}

function gateway(member: number, index: number): Gateway {
  const n = member * 10 + index;
  return { member, index, ip: ip(`172.31.77.${n}`), publicKey: n === 10 ? OWN : key(n) };
}

const A = gateway(1, 0);

/** text writes a step as one line. */
function text(step: Step): string {
  if (step.kind === "ip") return `ip ${step.line}`;
  if (step.kind === "sysctl") return `sysctl ${step.name}=${step.value}`;
  if (step.kind !== "configure") return `${step.kind} mrd${step.index}`;
  return `configure mrd${step.index} port ${step.listenPort} peers ${step.peers.length}`;
}

/** settle applies a plan and checks that nothing failed and that nothing is left to do. */
async function settle(kernel: FakeKernel, want: TunnelPlan): Promise<readonly Step[]> {
  const steps = plan(kernel.state(), want);
  expect((await applySteps(steps, kernel)).faults).toEqual([]);
  expect(plan(kernel.state(), want).map(text)).toEqual([]);
  return steps;
}

describe("plan()", () => {
  test("writes the steps of a first gateway in the order of dependence", async () => {
    const all = [A, gateway(1, 1), gateway(2, 0)];
    const steps = plan(new FakeKernel(OWN).state(), planOf(A, all));
    expect(steps.map(text)).toEqual([
      "ip route add unreachable 242.0.0.0/8 metric 4278198272 proto 77",
      "ip route append local 242.0.1.1/32 dev lo table 255 proto 77",
      "create mrd0",
      "sysctl net/ipv4/ip_forward=1",
      "sysctl net/ipv4/fib_multipath_hash_policy=1",
      "sysctl net/ipv4/conf/eth0/rp_filter=2",
      "sysctl net/ipv4/conf/mrd0/rp_filter=2",
      "configure mrd0 port 51820 peers 1",
      "ip link set dev mrd0 mtu 1440",
      "ip addr add 242.0.1.1/32 dev mrd0",
      "ip link set dev mrd0 up",
      "ip nexthop add id 1308491776 dev mrd0 proto 77",
      "ip nexthop add id 1308491777 dev mrd0 proto 77",
      "ip nexthop add id 1296350801 group 1308491776/1308491777 type resilient buckets 128 idle_timer 10 unbalanced_timer 120 proto 77",
      "ip route add 242.2.0.0/16 nhid 1296350801 src 172.31.77.10 proto 77",
      "ip route add 242.0.2.0/24 nhid 1296350801 src 172.31.77.10 proto 77",
      "ip route add 242.2.0.0/16 via 172.31.77.11 src 172.31.77.10 metric 500 proto 77",
      "ip route add 242.0.2.0/24 via 172.31.77.11 src 172.31.77.10 metric 500 proto 77",
      "ip route add 242.0.2.1/32 dev mrd0 src 242.0.1.1 table 7702 proto 77",
      "ip route add 242.0.1.2/32 via 172.31.77.11 proto 77",
      "ip route add 242.192.0.0/10 dev lo src 172.31.77.10 table 7701 proto 77",
      "ip rule add pref 7701 iif lo to 242.192.0.0/10 lookup 7701 protocol 77",
      "ip rule add pref 7702 iif lo to 242.0.0.0/8 ipproto 17 sport 7799 lookup 7702 protocol 77",
      "ip rule add pref 7702 iif lo to 242.0.0.0/8 ipproto 17 dport 7799 lookup 7702 protocol 77",
      "ip rule add pref 7702 iif lo to 242.0.0.0/8 ipproto 6 sport 7799 lookup 7702 protocol 77",
      "ip rule add pref 7702 iif lo to 242.0.0.0/8 ipproto 6 dport 7799 lookup 7702 protocol 77",
    ]);
  });

  test("a member that leaves goes in the reverse order", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(A, [A, gateway(2, 0), gateway(3, 1)]));
    const steps = await settle(kernel, planOf(A, [A, gateway(2, 0)]));
    expect(steps.map(text)).toEqual([
      expect.stringMatching(/^ip route del 242.3.0.0\/16 nhid/),
      expect.stringMatching(/^ip route del 242.0.3.0\/24 nhid/),
      "ip route del 242.0.3.2/32 dev mrd1 src 242.0.1.1 table 7702 proto 77",
      expect.stringMatching(/^ip nexthop del id 129\d+$/),
      "ip nexthop del id 1308491778",
      "ip nexthop del id 1308491779",
      "destroy mrd1",
    ]);
  });

  test("only a peer that differs is set, and the others are not named", async () => {
    const kernel = new FakeKernel(OWN);
    const [b, c] = [gateway(2, 0), gateway(3, 0)];
    await settle(kernel, planOf(A, [A, b, c]));
    const steps = await settle(kernel, planOf(A, [A, { ...b, ip: ip("172.31.77.99") }, c]));
    expect(steps).toMatchObject([{ kind: "configure", listenPort: null, peers: [{ publicKey: b.publicKey }] }]);
  });

  test("a peer that roamed is right, until the wanted endpoint changes", async () => {
    const kernel = new FakeKernel(OWN);
    const b = gateway(2, 0);
    await settle(kernel, planOf(A, [A, b]));
    kernel.roam(0, b.publicKey, "203.0.113.9:1234");
    expect(await settle(kernel, planOf(A, [A, b]))).toEqual([]);
    await settle(kernel, planOf(A, [A, { ...b, ip: ip("172.31.77.99") }]));
    expect(kernel.state().interfaces.get(0)?.device?.peers.get(b.publicKey)?.endpoint).toBe("172.31.77.99:51820");
  });

  test("other allowed-ips leave the endpoint to which a peer roamed", async () => {
    const kernel = new FakeKernel(OWN);
    const b = gateway(2, 0);
    const want = planOf(A, [A, b]);
    await settle(kernel, want);
    kernel.roam(0, b.publicKey, "203.0.113.9:1234");
    const interfaces = want.interfaces.map((i) => ({
      ...i,
      peers: i.peers.map((p) => ({ ...p, keepaliveSeconds: 9 })),
    }));
    expect(await settle(kernel, { ...want, interfaces })).toMatchObject([{ peers: [{ endpoint: null }] }]);
  });

  test("a way that goes down leaves the group; it comes back when it is up", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(2, 0), gateway(2, 1)];
    await settle(kernel, planOf(A, all));
    const down = await settle(
      kernel,
      planOf(A, all, ({ index }) => index === 1),
    );
    const timers = "type resilient idle_timer 10 unbalanced_timer 120 proto 77";
    expect(down.map(text)).toEqual([`ip nexthop replace id 1296350801 group 1308491778/1308491779 ${timers}`]);
    expect((await settle(kernel, planOf(A, all))).map(text)).toEqual([
      `ip nexthop replace id 1296350801 group 1308491776/1308491778/1308491777/1308491779 ${timers}`,
    ]);
  });

  test("when all ways look down the group stays as it is", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(2, 0), gateway(2, 1)];
    await settle(
      kernel,
      planOf(A, all, ({ index }) => index === 1),
    );
    expect(
      await settle(
        kernel,
        planOf(A, all, () => false),
      ),
    ).toEqual([]);
  });

  test("ways that nobody has judged yet stay what an earlier daemon made of them", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(1, 1), gateway(2, 0), gateway(2, 1), gateway(3, 0)];
    const isUp = ({ member, index }: Gateway): boolean => member === 2 && index === 1;
    await settle(kernel, planOf(A, all, isUp));
    expect(
      await settle(
        kernel,
        planOf(A, all, () => null),
      ),
    ).toEqual([]);
    expect(
      await settle(
        kernel,
        planOf(A, all, (peer) => (isUp(peer) ? true : null)),
      ),
    ).toEqual([]);
  });

  test("a first daemon beside a sibling that answers waits with its routes until a way was judged up", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(1, 1), gateway(2, 0)];
    const led = (): readonly string[] =>
      kernel
        .state()
        .routes.filter(({ dst, nhid }) => dst === "242.2.0.0/16" && nhid !== undefined)
        .map(({ dst }) => dst);
    await settle(
      kernel,
      planOf(A, all, () => false),
    );
    expect(led()).toEqual([]);
    await settle(kernel, planOf(A, all));
    expect(led()).toEqual(["242.2.0.0/16"]);
  });

  test("a draining way weighs next to nothing, so that no bucket is meant for it and busy ones may stay", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(2, 0), gateway(2, 1)];
    const want = planOf(A, all);
    await settle(kernel, want);
    const ways = want.members.map((member) => ({
      ...member,
      ways: member.ways.map((way) => ({ ...way, draining: way.interface === 0 })),
    }));
    const steps = await settle(kernel, { ...want, members: ways });
    expect(steps.map(text)).toEqual([
      expect.stringContaining("group 1308491778,256/1308491779,256/1308491776/1308491777 type resilient idle_timer"),
    ]);
  });

  test("when all ways drain they share as before", async () => {
    const kernel = new FakeKernel(OWN);
    const want = planOf(A, [A, gateway(2, 0), gateway(2, 1)]);
    await settle(kernel, want);
    const members = want.members.map((m) => ({ ...m, ways: m.ways.map((way) => ({ ...way, draining: true })) }));
    expect(await settle(kernel, { ...want, members })).toEqual([]);
  });

  test("a gateway that hears no tunnel but a sibling hands its packets on, until a way is back", async () => {
    const kernel = new FakeKernel(OWN);
    const all = [A, gateway(1, 1), gateway(2, 0)];
    await settle(kernel, planOf(A, all));
    const down = await settle(
      kernel,
      planOf(A, all, () => false),
    );
    expect(down.map(text)).toEqual([
      expect.stringMatching(/^ip route del 242.2.0.0\/16 nhid/),
      expect.stringMatching(/^ip route del 242.0.2.0\/24 nhid/),
      "ip nexthop del id 1296350801",
    ]);
    expect((await settle(kernel, planOf(A, all))).map(text)).toEqual([
      expect.stringMatching(/^ip nexthop add id 1296350801 group/),
      expect.stringMatching(/^ip route add 242.2.0.0\/16 nhid/),
      expect.stringMatching(/^ip route add 242.0.2.0\/24 nhid/),
    ]);
  });

  test("a gateway that leaves hands all on, whatever its tunnels do", async () => {
    const kernel = new FakeKernel(OWN);
    const want = planOf(A, [A, gateway(1, 1), gateway(2, 0)]);
    await settle(kernel, want);
    await settle(kernel, { ...want, leaving: true });
    expect(kernel.state().routes.filter(({ nhid }) => nhid !== undefined)).toEqual([]);
    const alone = planOf(A, [A, gateway(2, 0)]);
    await settle(kernel, { ...alone, leaving: true });
    expect(kernel.state().routes.filter(({ nhid }) => nhid !== undefined)).toHaveLength(2);
  });

  test("a first group of ways that all look down has them all", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(
      kernel,
      planOf(A, [A, gateway(2, 0), gateway(2, 1)], () => false),
    );
    const [group = []] = [...kernel.state().groups.values()];
    expect(groupText(group)).toBe("1308491776/1308491778/1308491777/1308491779");
  });

  test("a lost interface is made again with all that the kernel dropped with it, and nothing else", async () => {
    const kernel = new FakeKernel(OWN);
    const want = planOf(A, [A, gateway(2, 0), gateway(2, 1), gateway(3, 1)]);
    await settle(kernel, want);
    kernel.lose(1);
    expect((await settle(kernel, want)).map(text)).toEqual([
      "create mrd1",
      "sysctl net/ipv4/conf/mrd1/rp_filter=2",
      "configure mrd1 port 51821 peers 2",
      "ip link set dev mrd1 mtu 1440",
      "ip addr add 242.0.1.1/32 dev mrd1",
      "ip link set dev mrd1 up",
      "ip nexthop add id 1308491778 dev mrd1 proto 77",
      "ip nexthop add id 1308491779 dev mrd1 proto 77",
      expect.stringMatching(/^ip nexthop replace id 1296350801 group .*\/1308491779 type/),
      expect.stringMatching(/^ip nexthop add id 1293326303 group 1308491778\/1308491779 type resilient buckets 128/),
      "ip route add 242.0.2.2/32 dev mrd1 src 242.0.1.1 table 7702 proto 77",
      "ip route add 242.3.0.0/16 nhid 1293326303 src 172.31.77.10 proto 77",
      "ip route add 242.0.3.0/24 nhid 1293326303 src 172.31.77.10 proto 77",
      "ip route add 242.0.3.2/32 dev mrd1 src 242.0.1.1 table 7702 proto 77",
    ]);
  });

  test("what was read of a link while the kernel removed it counts as lost with it", async () => {
    const kernel = new FakeKernel(OWN);
    const want = planOf(A, [A, gateway(2, 0)]);
    await settle(kernel, want);
    const before = kernel.state();
    kernel.lose(0);
    const nexthops = new Map([...before.nexthops.keys()].map((id) => [id, "dev if12"]));
    const routes = before.routes.map((route) => (route.dev === "mrd0" ? { ...route, dev: "if12" } : route));
    const torn = { ...kernel.state(), nexthops, groups: before.groups, routes };
    expect(plan(torn, want)).toEqual(plan(kernel.state(), want));
  });

  test("a link without WireGuard behind it counts as lost", () => {
    const have: TunnelState = {
      ...emptyState("userspace", OWN),
      interfaces: new Map([[0, { up: true, mtu: 1440, addresses: ["242.0.1.1/32"], device: null }]]),
    };
    expect(plan(have, planOf(A, [A, gateway(2, 0)])).map(text)).toContain("create mrd0");
  });

  test("members that claim one prefix or one key, or ours, settle all the same: the first has it", async () => {
    const kernel = new FakeKernel(OWN);
    const b = gateway(2, 0);
    const twin = { ...gateway(2, 0), publicKey: key(77) };
    await settle(
      kernel,
      planOf(A, [A, b, twin, { ...gateway(3, 0), publicKey: b.publicKey }, { ...gateway(4, 0), publicKey: OWN }]),
    );
    const peers = kernel.state().interfaces.get(0)?.device?.peers;
    expect(peers?.get(b.publicKey)?.allowedIps).toEqual(["242.2.0.0/16", "242.0.2.0/24"]);
    expect(peers?.get(key(77))?.allowedIps).toEqual([]);
    expect(peers?.has(OWN)).toBe(false);
  });

  test("a node address that changes moves on every interface and route", async () => {
    const kernel = new FakeKernel(OWN);
    const want = planOf(A, [A, gateway(2, 0)]);
    await settle(kernel, want);
    const moved = { ...want, node: { local: ip("172.31.77.50"), global: ip("242.0.1.50") } };
    await settle(kernel, moved);
    expect(kernel.state().interfaces.get(0)?.addresses).toEqual(["242.0.1.50/32"]);
    expect(kernel.state().routes.filter(({ src }) => src === want.node.local)).toEqual([]);
  });

  test("in mode none there is nothing to do", () => {
    expect(plan(emptyState("none", null), planOf(A, [A, gateway(2, 0)]))).toEqual([]);
    expect(planTeardown(emptyState("none", null))).toEqual([]);
  });

  test("an index outside 0 to 7 is a bug of the caller", () => {
    expect(() => plan(emptyState("kernel", OWN), planOf(A, [A, gateway(2, 8)]))).toThrow(RangeError);
  });
});

describe("planTeardown()", () => {
  test("leaves nothing, and `unreachable` goes last", async () => {
    const kernel = new FakeKernel(OWN);
    await settle(kernel, planOf(A, [A, gateway(1, 1), gateway(2, 0), gateway(3, 1)]));
    const steps = planTeardown(kernel.state());
    expect((await applySteps(steps, kernel)).faults).toEqual([]);
    expect(planTeardown(kernel.state())).toEqual([]);
    expect(steps.map(text).at(-1)).toContain("local 242.0.1.1/32");
    expect(steps.map(text).at(-2)).toContain("unreachable 242.0.0.0/8");
  });
});

/** A view of the set: which gateways there are (by member and index) and which of them look up. */
const views = fc.array(
  fc.record({ member: fc.integer({ min: 2, max: 5 }), index: fc.integer({ min: 0, max: 3 }), up: fc.boolean() }),
  { maxLength: 8 },
);

/** holds checks what must be true after every single step: see the order in plan(). */
function holds({ routes, groups, nexthops, interfaces }: TunnelState): void {
  for (const { nhid, dev } of routes) {
    if (nhid !== undefined) expect(groups.has(nhid)).toBe(true);
    const index = indexOf(dev ?? "");
    if (index !== undefined) expect(interfaces.get(index)?.device).toBeTruthy();
  }
  for (const members of groups.values()) for (const { id } of members) expect(nexthops.has(id)).toBe(true);
  if (routes.length > 0) expect(routes.some(({ type }) => type === "unreachable")).toBe(true);
}

/** pointsAtPeers: a tunnel that a member's routes use has a peer of that member. */
function pointsAtPeers({ routes, groups, nexthops, interfaces }: TunnelState): void {
  for (const { dst, nhid } of routes) {
    if (nhid === undefined) continue;
    for (const { id } of groups.get(nhid) ?? []) {
      const peers = interfaces.get(indexOf(linkOf(nexthops.get(id) ?? "")) ?? -1)?.device?.peers ?? new Map();
      expect([...peers.values()].flatMap((peer) => peer.allowedIps)).toContain(dst);
    }
  }
}

test("plan() reaches every view from every other; at no step does a route lack what it needs", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(views, fc.option(fc.integer({ min: 0, max: 3 }))), { maxLength: 6 }),
      async (walk) => {
        const kernel = new FakeKernel(OWN);
        kernel.onChange = (state) => {
          holds(state);
          pointsAtPeers(state);
        };
        for (const [view, lost] of walk) {
          if (lost !== null) kernel.lose(lost);
          const gateways = [...new Map(view.map((v) => [`${v.member} ${v.index}`, v])).values()];
          const up = new Set(gateways.filter((v) => v.up).map((v) => globalOf(gateway(v.member, v.index))));
          const all = [A, gateway(1, 1), ...gateways.map((v) => gateway(v.member, v.index))];
          await settle(
            kernel,
            planOf(A, all, (peer) => up.has(globalOf(peer))),
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});
