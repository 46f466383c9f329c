import { describe, expect, test } from "vitest";
import type { Finding } from "./finding.ts";
import { lintPlan } from "./lint-plan.ts";

/** The concept's example: three clusters, one service CIDR for all, global prefixes by hand. */
const EXAMPLE = {
  supernet: "242.0.0.0/8",
  clusters: ["a", "b", "c"].map((id, n) => ({
    id,
    podCidr: `10.${n}.0.0/16`,
    serviceCidr: "172.16.0.0/16",
    nodeCidr: `192.168.${n}.0/24`,
    globalCidr: `242.${n + 1}.0.0/16`,
  })),
};

function lint(document: unknown): readonly Finding[] {
  const result = lintPlan(document);
  if (!result.ok) throw new Error(result.error.join("; "));
  return result.value;
}

/** verdicts shows a rule's findings: `warn a 10.0.0.0/16, b 10.0.0.0/16`. */
function verdicts(document: unknown, rule: string): readonly string[] {
  return lint(document)
    .filter((f) => f.rule === rule)
    .map((f) => `${f.verdict} ${f.subject}`);
}

function pair(a: object, b: object): object {
  const base = { podCidr: "10.0.0.0/16", serviceCidr: "10.96.0.0/16" };
  return {
    clusters: [
      { id: "a", ...base, ...a },
      { id: "b", ...base, podCidr: "10.1.0.0/16", ...b },
    ],
  };
}

describe("lintPlan() of the concept's example", () => {
  test("each rule has its verdict", () => {
    expect(lint(EXAMPLE).map((f) => `${f.rule}: ${f.verdict}`)).toEqual([
      "pod-cidrs-disjoint: pass",
      "service-cidrs-may-overlap: pass",
      "room-to-grow: pass",
      "easy-to-recognise: pass",
      "supernet-clear: pass",
      "global-cidrs: pass",
      "cluster-cidrs-disjoint: pass",
      "node-cidrs-disjoint: pass",
      "docker-bridge: pass",
      "class-e: warn",
      "shared-address-space: pass",
    ]);
  });

  test("the shared service CIDR passes with a note", () => {
    const [note] = lint(EXAMPLE).filter((f) => f.rule === "service-cidrs-may-overlap");
    expect(note?.subject).toBe("a 172.16.0.0/16, b 172.16.0.0/16, c 172.16.0.0/16");
    expect(note?.why).toContain("reached by name, at its global service address or, if headless");
  });

  test("capacity and numbers are told", () => {
    const told = lint(EXAMPLE).map((f) => f.why);
    expect(told).toContain("3 pod CIDRs take 1.5 % of the pods pool, which has room for 191 prefixes of /16");
    expect(told).toContain("a prefix shows its cluster: a 242.1.0.0/16, b 242.2.0.0/16, c 242.3.0.0/16");
  });

  test("without prefixes by hand the clusters would get the same ones", () => {
    const clusters = EXAMPLE.clusters.map(({ globalCidr: _, ...rest }) => rest);
    const [numbers] = lint({ clusters }).filter((f) => f.rule === "easy-to-recognise");
    expect(numbers?.why).toBe("a prefix shows its cluster: a 242.1.0.0/16, b 242.2.0.0/16, c 242.3.0.0/16");
  });

  test("every warning and failure has a remedy", () => {
    const bad = lint(EXAMPLE).filter((f) => f.verdict !== "pass");
    expect(bad.every((f) => f.remedy !== null)).toBe(true);
  });
});

describe("the four principles", () => {
  test("1: overlapping pod CIDRs need GlobalNet, the clusters are named", () => {
    const same = { podCidr: "10.244.0.0/16" };
    expect(verdicts(pair(same, same), "pod-cidrs-disjoint")).toEqual(["warn a 10.244.0.0/16, b 10.244.0.0/16"]);
    expect(verdicts(pair({ podCidr: "10.244.0.0/14" }, same), "pod-cidrs-disjoint")).toEqual([
      "warn a 10.244.0.0/14, b 10.244.0.0/16",
    ]);
  });

  test("1: many clusters with one pod CIDR are one finding", () => {
    const clusters = Array.from({ length: 100 }, (_, i) => ({ id: `c${i}`, podCidr: "10.244.0.0/16" }));
    const [one, ...rest] = verdicts({ clusters }, "pod-cidrs-disjoint");
    expect(one).toMatch(/^warn c0 10.244.0.0\/16, .* and 92 more$/);
    expect(rest).toEqual([]);
  });

  test("2: disjoint service CIDRs pass too", () => {
    expect(verdicts(pair({}, { serviceCidr: "10.97.0.0/16" }), "service-cidrs-may-overlap")).toEqual([
      "pass all service CIDRs",
    ]);
  });

  test("3: a supernet that cannot hold all fails for who is left out", () => {
    const clusters = [1, 2, 3].map((n) => ({ id: `c${n}`, podCidr: `10.${n * 64}.0.0/10` }));
    expect(verdicts({ clusters }, "room-to-grow")).toEqual(["fail c3", "pass 242.0.0.0/8"]);
    const tooLarge = { clusters: [{ id: "a", podCidr: "10.0.0.0/8" }] };
    expect(lint(tooLarge).find((f) => f.verdict === "fail")?.why).toContain("is larger than the pod pool");
  });

  test("3: a tight supernet is warned about", () => {
    const clusters = Array.from({ length: 160 }, (_, i) => ({ id: `c${i}`, podCidr: "10.244.0.0/16" }));
    expect(verdicts({ clusters }, "room-to-grow")).toEqual(["warn 242.0.0.0/8"]);
    expect(verdicts({ clusters: clusters.slice(0, 150) }, "room-to-grow")).toEqual(["pass 242.0.0.0/8"]);
  });

  test("3: a pod CIDR for fewer than 8 nodes is warned about", () => {
    expect(verdicts(pair({ podCidr: "10.0.0.0/22" }, {}), "room-to-grow")[0]).toBe("warn a 10.0.0.0/22");
    expect(verdicts(pair({ podCidr: "10.0.0.0/21" }, {}), "room-to-grow")[0]).toBe("pass 242.0.0.0/8");
  });

  test("3: a family without a supernet fails", () => {
    expect(verdicts(pair({ podCidrs: ["fd00:1::/56"], podCidr: undefined }, {}), "room-to-grow")[0]).toBe("fail a");
  });

  test("4: two clusters in one slot are hard to tell apart", () => {
    const plan = pair(
      { podCidr: "10.0.0.0/20", globalCidr: "242.7.0.0/20" },
      { podCidr: "10.1.0.0/20", globalCidr: "242.7.16.0/20" },
    );
    expect(verdicts(plan, "easy-to-recognise")).toEqual(["warn a, b"]);
    const why = lint(plan).find((f) => f.rule === "easy-to-recognise")?.why;
    expect(why).toBe("a, b would share 242.7.0.0/16: an address there does not show whose it is");
  });
});

describe("overlaps", () => {
  test.each([
    [{ podCidr: "242.9.0.0/16" }, "fail a 242.9.0.0/16"],
    [{ serviceCidr: "242.0.0.0/12" }, "fail a 242.0.0.0/12"],
    [{ nodeCidr: "240.0.0.0/4" }, "fail a 240.0.0.0/4"],
  ])("%j overlaps the supernet", (a, verdict) => {
    expect(verdicts(pair(a, {}), "supernet-clear")).toEqual([verdict]);
  });

  test("two clusters with overlapping global CIDRs fail, both named", () => {
    const plan = pair({ globalCidr: "242.5.0.0/16" }, { globalCidr: "242.5.0.0/16" });
    const [clash] = lint(plan).filter((f) => f.rule === "global-cidrs");
    expect(clash).toMatchObject({
      verdict: "fail",
      subject: "a 242.5.0.0/16, b 242.5.0.0/16",
      why: "the global CIDRs of a and b overlap",
    });
  });

  test.each([
    [{ globalCidr: "242.5.0.0/17" }, "must be of the family and length of pod CIDR 10.0.0.0/16"],
    [{ globalCidr: "10.7.0.0/16" }, "is outside the supernet 242.0.0.0/8"],
    [{ globalCidr: "242.0.0.0/16" }, "is outside the pods pool"],
    [{ globalCidrs: ["242.5.0.0/16", "242.6.0.0/16"] }, "there are more global CIDRs than pod CIDRs"],
  ])("the global prefix of %j fails", (a, why) => {
    const found = lint(pair(a, {})).filter((f) => f.rule === "global-cidrs");
    expect(found.map((f) => f.verdict)).toEqual(["fail"]);
    expect(found[0]?.why).toContain(why);
  });

  test("pods, services and nodes of one cluster must be apart", () => {
    const plan = pair({ serviceCidr: "10.0.128.0/17" }, {});
    expect(verdicts(plan, "cluster-cidrs-disjoint")).toEqual(["fail a"]);
    expect(verdicts(plan, "pod-cidrs-disjoint")).toEqual(["pass all pod CIDRs"]);
  });

  test("shared node CIDRs are warned about", () => {
    const nodes = { nodeCidr: "192.168.0.0/24" };
    expect(verdicts(pair(nodes, nodes), "node-cidrs-disjoint")).toEqual(["warn a 192.168.0.0/24, b 192.168.0.0/24"]);
  });
});

describe("pitfalls", () => {
  test("Docker's bridge inside a service CIDR is warned about", () => {
    const plan = pair({ serviceCidr: "172.16.0.0/12" }, { serviceCidr: "172.17.4.0/24" });
    expect(verdicts(plan, "docker-bridge")).toEqual(["warn a 172.16.0.0/12", "warn b 172.17.4.0/24"]);
    expect(verdicts(pair({}, {}), "docker-bridge")).toEqual(["pass all networks"]);
  });

  test("class E is noted for the default supernet and not for others", () => {
    expect(verdicts(pair({}, {}), "class-e")).toEqual(["warn 242.0.0.0/8"]);
    expect(verdicts({ supernet: "100.64.0.0/10", ...pair({}, {}) }, "class-e")).toEqual(["pass 100.64.0.0/10"]);
  });

  test("100.64.0.0/10 is noted, as supernet and as anything else, once", () => {
    const rule = "shared-address-space";
    const hand = { globalCidr: "100.65.0.0/16" };
    expect(verdicts({ supernet: "100.64.0.0/10", ...pair(hand, {}) }, rule)).toEqual(["warn 100.64.0.0/10"]);
    expect(verdicts(pair({ podCidr: "100.64.0.0/16" }, {}), rule)).toEqual(["warn a 100.64.0.0/16"]);
  });
});

describe("lintPlan() of what is no plan", () => {
  test("every fault is told at once, with its place", () => {
    const result = lintPlan({
      supernet: ["242.0.0.0/8", "10.0.0.0/8", "x"],
      pods: [],
      clusters: [
        { id: "A_", podCidr: "10.0.0.0/16" },
        { id: "a", podCidr: "10.0.0.1/16", zone: 1 },
        { id: "b", podCidrs: ["10.0.0.0/16", 3], nodeCidr: {} },
      ],
    });
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? [] : result.error.map((fault) => fault.split(": ")[0])).toEqual([
      "supernet[2]",
      "clusters[0].id",
      "clusters[1].podCidr[0]",
      "clusters[1]",
      "clusters[2].podCidrs[1]",
      "clusters[2].nodeCidr",
      "the plan",
    ]);
    expect(result.ok ? "" : result.error.join("\n")).toContain('clusters[1]: Unrecognized key: "zone"');
  });

  test("faults between keys are told too", () => {
    const podCidr = "10.0.0.0/16";
    const result = lintPlan({
      supernet: ["242.0.0.0/8", "10.0.0.0/8"],
      clusters: [{ id: "a", podCidr }, { id: "a", podCidr, podCidrs: [podCidr] }, { id: "b" }],
    });
    expect(result).toEqual({
      ok: false,
      error: [
        "supernet: at most one supernet per family",
        "clusters[1].id: a is the id of two clusters",
        "clusters[1]: write podCidr or podCidrs, not both",
        "clusters[2].podCidrs: is missing",
      ],
    });
  });

  test.each([null, undefined, 3, "text", [], {}, { clusters: [] }, { clusters: {} }, { clusters: [null] }])(
    "%j is refused, not thrown at",
    (document) => {
      expect(lintPlan(document).ok).toBe(false);
    },
  );

  test("a supernet that cannot be one is refused", () => {
    const plan = (supernet: string) => ({ supernet, clusters: [{ id: "a", podCidr: "10.0.0.0/16" }] });
    expect(lintPlan(plan("127.0.0.0/8"))).toMatchObject({
      error: ["supernet[0]: a supernet cannot contain addresses of 127.0.0.0/8: 127.0.0.0/8"],
    });
    expect(lintPlan(plan("10.0.0.0/24")).ok).toBe(false);
  });

  test("single strings and lists mean the same", () => {
    const one = lint({ clusters: [{ id: "a", podCidr: "10.0.0.0/16", nodeCidr: "192.168.0.0/24" }] });
    const list = lint({ clusters: [{ id: "a", podCidrs: ["10.0.0.0/16"], nodeCidrs: ["192.168.0.0/24"] }] });
    expect(list).toEqual(one);
  });

  test("a plan of 1,000 clusters is answered, one more is refused", () => {
    const plan = (n: number) => ({
      supernet: "fd12:3456:789a::/48",
      clusters: Array.from({ length: n }, (_, i) => ({ id: `c${i}`, podCidr: "fd00::/64", globalCidr: undefined })),
    });
    expect(lint(plan(1000)).filter((f) => f.verdict === "fail")).toEqual([]);
    expect(lintPlan(plan(1001)).ok).toBe(false);
  });
});
