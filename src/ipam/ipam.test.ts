import { describe, expect, test } from "vitest";
import { millis } from "#values";
import { type Allocation, describe as describeAllocation } from "./allocation.ts";
import { Ipam } from "./ipam.ts";
import { DAY, grant, ip, ipamOf, join, later, net, pods, prefixOf, release, service, T0, uid } from "./testbed.ts";

/** full is an allocator with something of every kind, and in both states. */
function full(): Ipam {
  const ipam = ipamOf({ supernets: ["242.0.0.0/8", "fd12:3456:789a::/48"] });
  join(ipam, 1);
  join(ipam, 2);
  join(ipam, 2, "fd00:10:244::/56");
  grant(ipam, [service(1, "web")]);
  reserve(ipam, "242.100.0.0/16", "the old datacentre");
  release(ipam, { uid: uid(1) });
  return ipam;
}

function reserve(ipam: Ipam, prefix: string, note: string): Allocation {
  const result = ipam.proposeReserve({ prefix: net(prefix), note }, T0);
  if (!result.ok || result.value[0] === undefined) throw new Error("refused");
  ipam.apply(result.value);
  return result.value[0];
}

describe("new Ipam()", () => {
  test("takes one supernet per family at most, and only usable ones", () => {
    const quarantineMs = DAY;
    const two = [net("242.0.0.0/8"), net("10.0.0.0/8")];
    expect(() => new Ipam({ supernets: two, quarantineMs })).toThrow("at most one supernet per family");
    expect(() => new Ipam({ supernets: [net("127.0.0.0/8")], quarantineMs })).toThrow(RangeError);
    expect(() => new Ipam({ supernets: [], quarantineMs: millis(-1) })).toThrow("must be 0 or more");
  });

  test("without supernets everything is refused, nothing throws", () => {
    const ipam = ipamOf({ supernets: [] });
    expect(pods(ipam, 1)).toMatchObject({ code: "unknown" });
    expect(grant(ipam, [service(1, "web")])).toMatchObject([{ code: "unknown" }]);
    expect(ipam.list()).toEqual([]);
  });
});

describe("whois()", () => {
  test("names the allocation that an address lies in", () => {
    const ipam = full();
    const web = prefixOf(ipam.list().find((a) => a.kind === "service"));
    expect(ipam.whois(ip("242.2.3.7"))).toMatchObject({ cluster: "c2", kind: "pods", local: "10.244.0.0/16" });
    expect(ipam.whois(ip("242.0.2.1"))).toMatchObject({ cluster: "c2", kind: "nodes" });
    expect(ipam.whois(ip(web.split("/")[0] ?? ""))).toMatchObject({ namespace: "shop", name: "web" });
    expect(ipam.whois(ip("242.100.1.2"))).toMatchObject({ kind: "reserved", note: "the old datacentre" });
    expect(ipam.whois(ip("fd12:3456:789a:2ff::1"))).toMatchObject({ cluster: "c2", local: "fd00:10:244::/56" });
  });

  test("names what rests, with its state", () => {
    expect(full().whois(ip("242.1.0.1"))).toMatchObject({ cluster: "c1", state: "quarantine" });
  });

  test("knows nothing of free, foreign and forgotten addresses", () => {
    const ipam = full();
    for (const free of ["242.3.0.1", "10.244.0.1", "fd00::1"]) expect(ipam.whois(ip(free))).toBeUndefined();
    ipam.forget(ipam.expired(later(DAY)));
    expect(ipam.whois(ip("242.1.0.1"))).toBeUndefined();
  });
});

describe("list()", () => {
  test("is sorted by family, then by number, not by text", () => {
    const ipam = ipamOf({ supernets: ["fd12:3456:789a::/48", "242.0.0.0/8"] });
    pods(ipam, 9, "fd00:10:244::/56");
    for (const wanted of ["242.100.0.0/16", "242.20.0.0/16", "242.3.0.0/16"])
      pods(ipam, 1, `10.${wanted.split(".")[1]}.0.0/16`, wanted);
    expect(ipam.list().map((a) => a.prefix)).toEqual([
      "242.3.0.0/16",
      "242.20.0.0/16",
      "242.100.0.0/16",
      "fd12:3456:789a:100::/56",
    ]);
  });

  test("is the same array until something changes", () => {
    const ipam = full();
    const before = ipam.list();
    expect(ipam.list()).toBe(before);
    release(ipam, { uid: uid(2) });
    expect(ipam.list()).not.toBe(before);
  });
});

describe("proposeReserve()", () => {
  test("keeps a prefix of any pool from being granted", () => {
    const ipam = ipamOf();
    reserve(ipam, "242.1.0.0/16", "kept");
    reserve(ipam, "242.0.2.0/24", "kept");
    reserve(ipam, "242.192.0.0/11", "kept");
    expect(join(ipam, 1)).toBe("242.3.0.0/16 242.0.3.0/24");
    const given = grant(
      ipam,
      Array.from({ length: 100 }, (_, i) => service(1, `s${i}`)),
    ).map(prefixOf);
    expect(given.every((prefix) => Number(prefix.split(".")[1]) >= 224)).toBe(true);
  });

  test("asked again only renews the note", () => {
    const ipam = ipamOf();
    reserve(ipam, "242.1.0.0/16", "why");
    expect(reserve(ipam, "242.1.0.0/16", "a better reason")).toMatchObject({ note: "a better reason", since: T0 });
    expect(ipam.list()).toHaveLength(1);
  });

  test("is refused with the owner where it overlaps anything, and outside the supernets", () => {
    const ipam = full();
    const ask = (prefix: string) => ipam.proposeReserve({ prefix: net(prefix), note: "" }, T0);
    expect(ask("242.2.4.0/24")).toMatchObject({ error: { code: "overlap", owner: { cluster: "c2", kind: "pods" } } });
    expect(ask("242.0.0.0/16")).toMatchObject({ error: { code: "overlap", owner: { cluster: "c1", kind: "nodes" } } });
    expect(ask("10.0.0.0/16")).toMatchObject({ error: { code: "outside-supernet", owner: null } });
    expect(ask("242.0.0.0/7")).toMatchObject({ error: { code: "outside-supernet" } });
  });

  test("is taken back like everything else, through quarantine", () => {
    const ipam = ipamOf();
    reserve(ipam, "242.1.0.0/16", "kept");
    expect(release(ipam, { prefix: net("242.1.0.0/16") })).toEqual(["242.1.0.0/16"]);
    expect(prefixOf(pods(ipam, 1))).toBe("242.2.0.0/16");
  });
});

describe("proposeRelease()", () => {
  test("by uid gives up all that a member has, and nothing of others", () => {
    const ipam = full();
    expect([...release(ipam, { uid: uid(2) })].sort()).toEqual([
      "242.0.2.0/24",
      "242.2.0.0/16",
      "fd12:3456:789a:200::/56",
      "fd12:3456:789a::200/120",
    ]);
  });

  test("leaves out what rests already, so that its quarantine is not prolonged", () => {
    const ipam = full();
    expect(ipam.proposeRelease({ uid: uid(1) }, later(5))).toEqual([]);
    expect(ipam.proposeRelease({ prefix: net("242.1.0.0/16") }, later(5))).toEqual([]);
    expect(ipam.expired(later(DAY)).map((a) => a.cluster)).toEqual(["c1", "c1"]);
  });

  test("knows nothing of what is not there", () => {
    const { namespace, name } = service(1, "nothing");
    const ipam = full();
    expect(ipam.proposeRelease({ uid: uid(9) }, T0)).toEqual([]);
    expect(ipam.proposeRelease({ prefix: net("242.9.0.0/16") }, T0)).toEqual([]);
    expect(ipam.proposeRelease({ namespace, name }, T0)).toEqual([]);
  });

  test("changes nothing until it is applied", () => {
    const ipam = full();
    const before = ipam.list();
    ipam.proposeRelease({ uid: uid(2) }, T0);
    expect(ipam.list()).toBe(before);
  });
});

describe("apply(), forget() and load()", () => {
  test("apply() throws on an overlap: a proposal was stale", () => {
    const ipam = ipamOf();
    const ask = { cluster: service(1, "x").cluster, local: net("10.244.0.0/16") };
    const [a, b] = [1, 2].map((n) => ipam.proposePods({ ...ask, uid: uid(n) }, T0));
    if (!a?.ok || !b?.ok) throw new Error("refused");
    ipam.apply(a.value);
    expect(a.value[0]?.prefix).toBe(b.value[0]?.prefix);
    const larger = b.value.map((x) => ({ ...x, prefix: net("242.0.0.0/15") }));
    expect(() => ipam.apply(larger)).toThrow("242.0.0.0/15 overlaps 242.1.0.0/16, the pods of cluster c1");
  });

  test("apply() throws where another owner's live prefix would be overwritten", () => {
    const ipam = ipamOf();
    const ask = { cluster: service(1, "x").cluster, local: net("10.244.0.0/16") };
    const [a, b] = [1, 2].map((n) => ipam.proposePods({ ...ask, uid: uid(n) }, T0));
    if (!a?.ok || !b?.ok) throw new Error("refused");
    ipam.apply(a.value);
    expect(() => ipam.apply(b.value)).toThrow("another owner");
  });

  test("forget() throws for what is live again, and lets the unknown be", () => {
    const ipam = ipamOf();
    pods(ipam, 1);
    release(ipam, { uid: uid(1) });
    const over = ipam.expired(later(DAY));
    pods(ipam, 1);
    expect(() => ipam.forget(over)).toThrow("cannot forget 242.1.0.0/16, the pods of cluster c1: it is live");
    release(ipam, { uid: uid(1) });
    ipam.forget(over);
    ipam.forget(over);
    expect(ipam.list()).toEqual([]);
  });

  test("load() restores all that was: space, owners, names, quota and quarantine", () => {
    const ipam = full();
    const next = ipamOf({ supernets: ["242.0.0.0/8", "fd12:3456:789a::/48"] });
    next.load(ipam.list().toReversed());
    expect(next.list()).toEqual(ipam.list());
    expect(next.expired(later(DAY))).toHaveLength(2);
    expect(join(next, 3)).toBe(join(ipam, 3));
    expect(grant(next, [service(2, "web")])).toEqual(grant(ipam, [service(2, "web")]));
  });

  test("load() throws on a damaged store and keeps what was", () => {
    const ipam = full();
    const before = ipam.list();
    const sample = before.find((a) => a.prefix === "242.2.0.0/16");
    const web = before.find((a) => a.kind === "service");
    if (sample === undefined || web === undefined) throw new Error("not there");
    const inside = { ...sample, prefix: net("242.2.7.0/24") };
    const outside = { ...sample, prefix: net("10.0.0.0/16") };
    const twice = { ...web, prefix: net("242.193.0.1/32") };
    expect(() => ipam.load([sample, inside])).toThrow("242.2.7.0/24 overlaps 242.2.0.0/16");
    expect(() => ipam.load([inside, sample])).toThrow("242.2.0.0/16 overlaps 242.2.7.0/24");
    expect(() => ipam.load([sample, sample])).toThrow("242.2.0.0/16 is there twice");
    expect(() => ipam.load([outside])).toThrow("10.0.0.0/16 is outside the supernet");
    expect(() => ipam.load([web, twice])).toThrow("service shop/web has two addresses");
    expect(ipam.list()).toBe(before);
  });
});

describe("describe()", () => {
  test("names every kind in words", () => {
    const ipam = full();
    const words = ipam.list().map(describeAllocation);
    expect(words).toContain("242.2.0.0/16, the pods of cluster c2");
    expect(words).toContain("242.0.1.0/24, the nodes of cluster c1, in quarantine since 2023-11-14T22:13:20.000Z");
    expect(words).toContain("242.247.86.70/32, the service shop/web");
    expect(words).toContain("242.100.0.0/16, reserved by hand (the old datacentre)");
  });
});
