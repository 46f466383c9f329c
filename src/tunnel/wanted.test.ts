import { describe, expect, test } from "vitest";
import type { TunnelKey } from "#values";
import { groupText } from "./nexthops.ts";
import { routeText } from "./route.ts";
import { cidr, type Gateway, ip, planOf } from "./testbed-plan.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";
import { emptyState } from "./tunnel-state.ts";
import { wanted } from "./wanted.ts";

const KEY = Buffer.alloc(32).toString("base64") as TunnelKey;
const EMPTY = emptyState("userspace", KEY);

function gateway(member: number, index: number): Gateway {
  return { member, index, ip: ip(`172.31.77.${member * 10 + index}`), publicKey: KEY };
}

const A = gateway(1, 0);

/** routesTo are the texts of the routes to a prefix that a plan wants. */
function routesTo(prefix: string, want: TunnelPlan): readonly string[] {
  return wanted(EMPTY, want)
    .routes.filter(({ dst }) => dst === prefix)
    .map(routeText);
}

describe("wanted()", () => {
  test("what is untranslated leaves in clear as little as the supernet does: both are unreachable but for tunnels", () => {
    const want = { ...planOf(A, [A, gateway(2, 0)]), direct: [cidr("10.2.0.0/16")] };
    const standing = wanted(EMPTY, want).standing.map(routeText);
    expect(standing).toEqual([
      "unreachable 242.0.0.0/8 metric 4278198272 proto 77",
      "unreachable 10.2.0.0/16 metric 4278198272 proto 77",
      expect.stringContaining("local"),
    ]);
  });

  test("twins: two nexthops per interface, so that no group ever has one member", () => {
    const { nexthops, groups } = wanted(EMPTY, planOf(A, [A, gateway(2, 0), gateway(3, 7)]));
    expect([...nexthops.values()]).toEqual(["dev mrd0", "dev mrd0", "dev mrd7", "dev mrd7"]);
    for (const members of groups.values()) expect(members).toHaveLength(2);
  });

  test("a member without any way is reached through siblings alone, and has no group", () => {
    const plan = planOf(A, [A, gateway(1, 1), gateway(2, 0)]);
    const want = { ...plan, members: plan.members.map((member) => ({ ...member, ways: [] })) };
    expect(wanted(EMPTY, want).groups.size).toBe(0);
    expect(routesTo("242.2.0.0/16", want)).toEqual([
      "242.2.0.0/16 via 172.31.77.11 src 172.31.77.10 metric 500 proto 77",
    ]);
  });

  test("a way by an interface that is not in the plan is no way", () => {
    const plan = planOf(A, [A, gateway(2, 0), gateway(2, 1)]);
    const { groups } = wanted(EMPTY, { ...plan, interfaces: plan.interfaces.filter(({ index }) => index === 1) });
    expect([...groups.values()].map((hops) => groupText(hops))).toEqual(["1308491778/1308491779"]);
  });

  test("several sibling gateways share the fallback; a plain node never is one", () => {
    const plan = planOf(A, [A, gateway(1, 2), gateway(1, 1), gateway(2, 0)]);
    const node = { global: ip("242.0.1.200"), local: ip("172.31.77.200"), gateway: false, up: true };
    const want = { ...plan, siblings: [...plan.siblings, node] };
    expect(routesTo("242.2.0.0/16", want)[1]).toBe(
      "242.2.0.0/16 src 172.31.77.10 metric 500 proto 77 nexthop via 172.31.77.11 nexthop via 172.31.77.12",
    );
    expect(routesTo("242.0.1.200/32", want)).toEqual(["242.0.1.200/32 via 172.31.77.200 proto 77"]);
  });

  test("probes keep the route of a tunnel that looks down, or it could never look up again", () => {
    const want = planOf(A, [A, gateway(2, 0)], () => false);
    expect(routesTo("242.0.2.1/32", want)).toEqual(["242.0.2.1/32 dev mrd0 src 242.0.1.1 table 7702 proto 77"]);
  });

  test("a prefix that two members claim goes to the first", () => {
    const plan = planOf(A, [A, gateway(2, 0), gateway(3, 0)]);
    const [first, second] = plan.members;
    if (first === undefined || second === undefined) throw new Error("two members");
    const want = { ...plan, members: [first, { ...second, prefixes: first.prefixes }] };
    expect(routesTo("242.2.0.0/16", want)).toHaveLength(1);
    expect(routesTo("242.2.0.0/16", want)).toEqual(routesTo("242.2.0.0/16", plan));
  });

  test("rp_filter is set on underlay links that exist, dots in their names or not", () => {
    const plan = { ...planOf(A, [A]), underlayLinks: ["eth0.100", "gone"] };
    const present = { ...EMPTY, sysctls: new Map([["net/ipv4/conf/eth0.100/rp_filter", "0"]]) };
    expect([...wanted(present, plan).sysctls.keys()]).toEqual([
      "net/ipv4/ip_forward",
      "net/ipv4/fib_multipath_hash_policy",
      "net/ipv4/conf/eth0.100/rp_filter",
    ]);
  });
});
