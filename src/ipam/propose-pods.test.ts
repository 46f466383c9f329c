import { describe, expect, test } from "vitest";
import {
  cluster,
  DAY,
  ip,
  ipamOf,
  join,
  later,
  net,
  nodes,
  pods,
  prefixOf,
  refusalOf,
  release,
  T0,
  uid,
} from "./testbed.ts";

describe("proposePods()", () => {
  test("the first member with a /16 gets 242.1.0.0/16, the n-th 242.n.0.0/16", () => {
    const ipam = ipamOf();
    expect([1, 2, 3, 4].map((n) => prefixOf(pods(ipam, n)))).toEqual([
      "242.1.0.0/16",
      "242.2.0.0/16",
      "242.3.0.0/16",
      "242.4.0.0/16",
    ]);
  });

  test("pods' second octet and nodes' third are in step, whichever is asked for first", () => {
    const ipam = ipamOf();
    expect(join(ipam, 1)).toBe("242.1.0.0/16 242.0.1.0/24");
    expect(prefixOf(nodes(ipam, 2))).toBe("242.0.2.0/24");
    expect(prefixOf(pods(ipam, 3))).toBe("242.3.0.0/16");
    expect(prefixOf(pods(ipam, 2))).toBe("242.2.0.0/16");
    expect(prefixOf(nodes(ipam, 3))).toBe("242.0.3.0/24");
  });

  test("a smaller pod CIDR lies at the start of its member's slot, and a further one beside it", () => {
    const ipam = ipamOf();
    expect(join(ipam, 1, "10.244.0.0/24")).toBe("242.1.0.0/24 242.0.1.0/24");
    expect(join(ipam, 2, "10.244.0.0/24")).toBe("242.2.0.0/24 242.0.2.0/24");
    expect(prefixOf(pods(ipam, 1, "10.9.0.0/24"))).toBe("242.1.1.0/24");
  });

  test("a larger pod CIDR is first fit with a free buddy, and its nodes take the number that it shows", () => {
    const ipam = ipamOf();
    expect(join(ipam, 1, "10.0.0.0/14")).toBe("242.8.0.0/14 242.0.8.0/24");
    expect(join(ipam, 2, "10.0.0.0/14")).toBe("242.16.0.0/14 242.0.16.0/24");
    expect(join(ipam, 3)).toBe("242.1.0.0/16 242.0.1.0/24");
  });

  test("a member grows in place: a second pod CIDR becomes the buddy of its first", () => {
    const ipam = ipamOf();
    pods(ipam, 1, "10.0.0.0/14");
    expect(prefixOf(pods(ipam, 1, "10.4.0.0/14"))).toBe("242.12.0.0/14");
  });

  test("without a free buddy the first fit is taken, to the last block", () => {
    const ipam = ipamOf();
    const got = Array.from({ length: 4 }, (_, i) => pods(ipam, i + 1, "10.0.0.0/10"));
    expect(got.slice(0, 2).map(prefixOf)).toEqual(["242.64.0.0/10", "242.128.0.0/10"]);
    expect(refusalOf(got[2])).toBe("pool-exhausted: no /10 is free in the pods pool of 242.0.0.0/8");
  });

  test("a slot that is taken is passed over, and the number with it", () => {
    const ipam = ipamOf();
    pods(ipam, 9, "10.0.0.0/16", "242.1.0.0/16");
    expect(join(ipam, 2)).toBe("242.2.0.0/16 242.0.2.0/24");
    expect(prefixOf(nodes(ipam, 9))).toBe("242.0.1.0/24");
  });

  test("a pod CIDR larger than the pod pool is refused, and the refusal says so", () => {
    expect(refusalOf(pods(ipamOf(), 1, "10.0.0.0/8"))).toBe(
      "pool-exhausted: pod CIDR 10.0.0.0/8 is larger than the pod pool: " +
        "the largest that the pods pool of 242.0.0.0/8 can map is a /10",
    );
  });

  test("191 members get a slot each, and the next is refused", () => {
    const ipam = ipamOf();
    const all = Array.from({ length: 191 }, (_, i) => join(ipam, i + 1));
    expect(all[190]).toBe("242.191.0.0/16 242.0.191.0/24");
    expect(new Set(all).size).toBe(191);
    expect(join(ipam, 192)).toBe("pool-exhausted 242.0.192.0/24");
  });

  test("a pool that only quarantine fills says so", () => {
    const ipam = ipamOf({ supernets: ["10.8.0.0/16"] });
    pods(ipam, 1, "10.0.0.0/18");
    pods(ipam, 2, "10.0.0.0/18");
    release(ipam, { uid: uid(1) });
    expect(refusalOf(pods(ipam, 3, "10.0.0.0/18"))).toContain("; 1 prefixes rest in quarantine");
  });

  test("IPv6 works the same way", () => {
    const ipam = ipamOf({ supernets: ["fd12:3456:789a::/48"] });
    expect(join(ipam, 1, "fd00:10:244::/56")).toBe("fd12:3456:789a:100::/56 fd12:3456:789a::100/120");
    expect(join(ipam, 2, "fd00:10:244::/56")).toBe("fd12:3456:789a:200::/56 fd12:3456:789a::200/120");
    expect(join(ipam, 3, "fd00:10:244::/112")).toBe("fd12:3456:789a:300::/112 fd12:3456:789a::300/120");
    expect(refusalOf(pods(ipam, 4, "fd00:10:244::/48"))).toContain("is larger than the pod pool");
  });

  test("a dual-stack member shows one number in both families", () => {
    const ipam = ipamOf({ supernets: ["242.0.0.0/8", "fd12:3456:789a::/48"] });
    pods(ipam, 9, "fd00:10:9::/56");
    expect(join(ipam, 1)).toBe("242.1.0.0/16 242.0.1.0/24");
    expect(join(ipam, 2)).toBe("242.2.0.0/16 242.0.2.0/24");
    expect(join(ipam, 2, "fd00:10:244::/56")).toBe("fd12:3456:789a:200::/56 fd12:3456:789a::200/120");
  });

  test("a family without a supernet is refused", () => {
    expect(refusalOf(pods(ipamOf(), 1, "fd00::/64"))).toBe("unknown: there is no IPv6 supernet for pod CIDR fd00::/64");
  });
});

describe("proposePods() is sticky by uid and pod CIDR", () => {
  test("asked again, a member gets what it has, unchanged", () => {
    const ipam = ipamOf();
    const first = pods(ipam, 1);
    expect(pods(ipam, 1, "10.244.0.0/16", undefined, later(5))).toEqual(first);
    expect(ipam.list()).toHaveLength(1);
  });

  test("another pod CIDR of the same member is another prefix", () => {
    const ipam = ipamOf();
    expect(prefixOf(pods(ipam, 1, "10.244.0.0/16"))).toBe("242.1.0.0/16");
    expect(prefixOf(pods(ipam, 1, "10.245.0.0/16"))).toBe("242.2.0.0/16");
    expect(prefixOf(pods(ipam, 1, "10.244.0.0/16"))).toBe("242.1.0.0/16");
  });

  test("the same uid gets a quarantined prefix back at once", () => {
    const ipam = ipamOf();
    join(ipam, 1);
    release(ipam, { uid: uid(1) }, later(10));
    const back = pods(ipam, 1, "10.244.0.0/16", undefined, later(20));
    expect(back).toMatchObject({ prefix: "242.1.0.0/16", state: "live", since: later(20) });
  });

  test("nobody else gets it before the quarantine is over, nor before it is forgotten", () => {
    const ipam = ipamOf();
    pods(ipam, 1);
    release(ipam, { uid: uid(1) });
    expect(prefixOf(pods(ipam, 2))).toBe("242.2.0.0/16");
    expect(ipam.expired(later(DAY - 1))).toEqual([]);
    const over = ipam.expired(later(DAY));
    expect(over.map((a) => a.prefix)).toEqual(["242.1.0.0/16"]);
    expect(prefixOf(pods(ipam, 3))).toBe("242.3.0.0/16");
    ipam.forget(over);
    expect(prefixOf(pods(ipam, 4))).toBe("242.1.0.0/16");
  });

  test("a member that changed its id keeps its prefix under the new one", () => {
    const ipam = ipamOf();
    pods(ipam, 1);
    const ask = { cluster: cluster(77), uid: uid(1), local: net("10.244.0.0/16") };
    expect(ipam.proposePods(ask, later(1))).toMatchObject({
      value: [{ prefix: "242.1.0.0/16", cluster: "c77", since: T0 }],
    });
  });
});

describe("proposePods() with a prefix by hand", () => {
  test("a free prefix of the pods pool is given", () => {
    const ipam = ipamOf();
    expect(pods(ipam, 1, "10.244.0.0/16", "242.77.0.0/16")).toMatchObject({
      prefix: "242.77.0.0/16",
      local: "10.244.0.0/16",
    });
    expect(prefixOf(nodes(ipam, 1))).toBe("242.0.77.0/24");
  });

  test.each(["242.5.0.0/16", "242.4.0.0/14", "242.5.128.0/17"])(
    "%s is refused with owner and prefix, since it overlaps a live one",
    (wanted) => {
      const ipam = ipamOf();
      pods(ipam, 5, "10.244.0.0/16", "242.5.0.0/16");
      const refused = pods(ipam, 1, `10.0.0.0/${wanted.split("/")[1]}`, wanted);
      expect(refusalOf(refused)).toBe(`overlap: ${wanted} overlaps 242.5.0.0/16, the pods of cluster c5`);
      expect(refused).toMatchObject({ owner: { prefix: "242.5.0.0/16", cluster: "c5" } });
    },
  );

  test("another member's quarantine is refused too, and the refusal says since when it rests", () => {
    const ipam = ipamOf();
    pods(ipam, 5, "10.244.0.0/16", "242.5.0.0/16");
    release(ipam, { uid: uid(5) });
    expect(refusalOf(pods(ipam, 1, "10.244.0.0/16", "242.5.0.0/16"))).toBe(
      "overlap: 242.5.0.0/16 overlaps 242.5.0.0/16, the pods of cluster c5, in quarantine since 2023-11-14T22:13:20.000Z",
    );
  });

  test("its own quarantine is given back, for another pod CIDR too", () => {
    const ipam = ipamOf();
    pods(ipam, 5, "10.244.0.0/16", "242.5.0.0/16");
    release(ipam, { uid: uid(5) });
    const back = pods(ipam, 5, "10.9.0.0/16", "242.5.0.0/16", later(1));
    expect(back).toMatchObject({ prefix: "242.5.0.0/16", local: "10.9.0.0/16", state: "live" });
  });

  test("what stands for another live pod CIDR of the same member is in the way", () => {
    const ipam = ipamOf();
    pods(ipam, 1, "10.244.0.0/16");
    expect(refusalOf(pods(ipam, 1, "10.9.0.0/16", "242.1.0.0/16"))).toContain("the pods of cluster c1");
  });

  test("a change by hand gives up the old prefix in the same write", () => {
    const ipam = ipamOf();
    pods(ipam, 1);
    const ask = { cluster: cluster(1), uid: uid(1), local: net("10.244.0.0/16"), wanted: net("242.9.0.0/16") };
    const moved = ipam.proposePods(ask, later(1));
    expect(moved).toMatchObject({
      value: [
        { prefix: "242.1.0.0/16", state: "quarantine", since: later(1) },
        { prefix: "242.9.0.0/16", state: "live" },
      ],
    });
    expect(ipam.whois(ip("242.9.0.1"))).toBeUndefined();
    pods(ipam, 1, "10.244.0.0/16", "242.9.0.0/16", later(1));
    expect(prefixOf(pods(ipam, 1))).toBe("242.9.0.0/16");
    expect(prefixOf(pods(ipam, 1, "10.244.0.0/16", "242.1.0.0/16", later(2)))).toBe("242.1.0.0/16");
  });

  test.each([
    ["10.1.0.0/16", "outside-supernet: 10.1.0.0/16 is outside the supernet 242.0.0.0/8"],
    [
      "242.0.0.0/16",
      "outside-supernet: 242.0.0.0/16 is outside the pods pool of 242.0.0.0/8: " +
        "242.0.0.0/16 is for nodes, 242.192.0.0/10 for services",
    ],
    [
      "242.200.0.0/16",
      "outside-supernet: 242.200.0.0/16 is outside the pods pool of 242.0.0.0/8: " +
        "242.0.0.0/16 is for nodes, 242.192.0.0/10 for services",
    ],
    [
      "242.5.0.0/24",
      "length-mismatch: the global prefix of pod CIDR 10.244.0.0/16 must be an IPv4 /16, not 242.5.0.0/24",
    ],
    ["fd00::/16", "length-mismatch: the global prefix of pod CIDR 10.244.0.0/16 must be an IPv4 /16, not fd00::/16"],
  ])("%s is refused: %s", (wanted, message) => {
    expect(refusalOf(pods(ipamOf(), 1, "10.244.0.0/16", wanted))).toBe(message);
  });
});
