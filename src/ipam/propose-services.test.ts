import { describe, expect, test } from "vitest";
import { cidrParts, covers, type Namespace, type ServiceName } from "#values";
import { DAY, grant, ipamOf, later, net, prefixOf, refusalOf, release, service, T0 } from "./testbed.ts";

const WEB = { namespace: "shop" as Namespace, name: "web" as ServiceName };
const many = (n: number) => Array.from({ length: n }, (_, i) => service(1, `svc-${i}`));

describe("proposeServices()", () => {
  test("a name gets one address of the services pool, owned by no member", () => {
    const [web] = grant(ipamOf(), [service(1, "web")]);
    expect(web).toMatchObject({
      kind: "service",
      cluster: null,
      uid: null,
      namespace: "shop",
      name: "web",
      state: "live",
    });
    expect(web).toMatchObject({ askedBy: "c1", local: null, note: null, since: T0 });
    expect(cidrParts(prefixOf(web)).length).toBe(32);
    expect(covers(net("242.192.0.0/10"), prefixOf(web))).toBe(true);
  });

  test("the address follows from the name: it is the same in every store, whatever else is there", () => {
    const [alone] = grant(ipamOf(), [service(1, "web")]);
    const crowd = grant(ipamOf(), [...many(50), service(2, "web")]);
    expect(prefixOf(crowd.at(-1))).toBe(prefixOf(alone));
    expect(prefixOf(alone)).toBe("242.247.86.70/32");
  });

  test("two members that export the same name share one address, in one batch too", () => {
    const ipam = ipamOf();
    const [a, b] = grant(ipam, [service(1, "web"), service(2, "web")]);
    expect(b).toBe(a);
    expect(grant(ipam, [service(3, "web")])).toEqual([a]);
    expect(ipam.list()).toHaveLength(1);
  });

  test("a name in another namespace is another Service", () => {
    const [a, b] = grant(ipamOf(), [service(1, "web", "shop"), service(1, "web", "blog")]);
    expect(prefixOf(a)).not.toBe(prefixOf(b));
  });

  test("proposing changes nothing: the same batch again gives the same answers", () => {
    const ipam = ipamOf();
    const first = ipam.proposeServices(many(100), T0);
    expect(ipam.proposeServices(many(100), T0)).toEqual(first);
    expect(ipam.list()).toEqual([]);
    expect(ipam.proposeReserve({ prefix: net("242.192.0.0/10"), note: "all free" }, T0).ok).toBe(true);
  });

  test("a re-export gets the same address back, by whichever member", () => {
    const ipam = ipamOf();
    const [web] = grant(ipam, [service(1, "web")]);
    expect(release(ipam, WEB, later(1))).toEqual([prefixOf(web)]);
    const [again] = grant(ipam, [service(2, "web")], later(2));
    expect(again).toMatchObject({ prefix: prefixOf(web), state: "live", since: later(2), askedBy: "c2" });
  });

  test("an address that was forgotten is free for others", () => {
    const ipam = ipamOf();
    grant(ipam, [service(1, "web")]);
    release(ipam, WEB);
    ipam.forget(ipam.expired(later(DAY)));
    expect(ipam.list()).toEqual([]);
  });

  test("a taken place is probed over", () => {
    const ipam = ipamOf();
    const place = grant(ipamOf(), [service(1, "web")])[0];
    ipam.apply(expectValue(ipam.proposeReserve({ prefix: prefixOf(place), note: "taken" }, T0)));
    const [web] = grant(ipam, [service(1, "web")]);
    expect(prefixOf(web)).not.toBe(prefixOf(place));
    expect(covers(net("242.192.0.0/10"), prefixOf(web))).toBe(true);
  });

  test("the whole pool is given out, each address once, then it is exhausted", () => {
    const ipam = ipamOf({ supernets: ["10.9.0.0/16"] });
    expect(ipam.proposeServices(many(16_385), T0)).toHaveLength(16_385);
    expect(ipam.proposeReserve({ prefix: net("10.9.192.0/18"), note: "still all free" }, T0).ok).toBe(true);
    const got = grant(ipam, many(16_385));
    const given = got.filter((g) => "prefix" in g).map(prefixOf);
    expect(new Set(given).size).toBe(16_384);
    expect(given.every((prefix) => covers(net("10.9.192.0/18"), prefix))).toBe(true);
    expect(refusalOf(got.at(-1))).toBe("pool-exhausted: no service address is free in 10.9.192.0/18");
  });

  test("network and broadcast address of the pool are the last resort", () => {
    const given = grant(ipamOf({ supernets: ["10.9.0.0/16"] }), many(12_000)).map(prefixOf);
    expect(given).not.toContain("10.9.192.0/32");
    expect(given).not.toContain("10.9.255.255/32");
  });

  test("IPv6 addresses vary in their last 32 bits only, so that they stay short", () => {
    const [web] = grant(ipamOf({ supernets: ["fd12:3456:789a::/48"] }), [service(1, "web")]);
    expect(prefixOf(web)).toMatch(/^fd12:3456:789a:c000::[0-9a-f]{1,4}:[0-9a-f]{1,4}\/128$/);
  });

  test("with two supernets the first is the default, the other is had by asking", () => {
    const ipam = ipamOf({ supernets: ["242.0.0.0/8", "fd12:3456:789a::/48"] });
    const [four, six] = grant(ipam, [service(1, "web"), { ...service(1, "web"), family: 6 }]);
    expect(prefixOf(four)).toBe("242.247.86.70/32");
    expect(prefixOf(six)).toContain("/128");
    expect(release(ipam, WEB)).toHaveLength(2);
  });

  test("a family without a supernet is refused", () => {
    const [six] = grant(ipamOf(), [{ ...service(1, "web"), family: 6 }]);
    expect(refusalOf(six)).toBe("unknown: there is no IPv6 supernet for services");
  });

  test("10,000 in one call take at most 50 ms of processor time", () => {
    const ipam = ipamOf();
    const asks = many(10_000);
    // The thread's own time: other tests run beside this one, and the first calls are also compiled.
    const times = Array.from({ length: 9 }, () => {
      const start = process.threadCpuUsage();
      ipam.proposeServices(asks, T0);
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  });
});

describe("proposeServices() within a quota", () => {
  test("it counts what each member asked for first, not what others did", () => {
    const ipam = ipamOf({ servicesPerCluster: 2 });
    grant(ipam, [service(1, "a"), service(1, "b")]);
    expect(refusalOf(grant(ipam, [service(1, "c")])[0])).toBe(
      "quota: cluster c1 has 2 service addresses, its quota, those in quarantine counted",
    );
    const [c, a] = grant(ipam, [service(2, "c"), service(1, "a")]);
    expect([prefixOf(c), prefixOf(a)]).toHaveLength(2);
    expect(prefixOf(grant(ipam, [service(1, "c")])[0])).toBe(prefixOf(c));
  });

  test("it holds within one batch, in the order asked", () => {
    const got = grant(
      ipamOf({ servicesPerCluster: 2 }),
      [..."abcd"].map((name) => service(1, name)),
    );
    expect(got.map((g) => ("code" in g ? g.code : "given"))).toEqual(["given", "given", "quota", "quota"]);
  });

  test("what rests still counts, so that churn cannot fill the pool; what is forgotten does not", () => {
    const ipam = ipamOf({ servicesPerCluster: 1 });
    grant(ipam, [service(1, "web")]);
    release(ipam, WEB);
    expect(refusalOf(grant(ipam, [service(1, "b")])[0])).toContain("quota");
    expect(prefixOf(grant(ipam, [service(1, "web")], later(1))[0])).toContain("/32");
    release(ipam, WEB, later(2));
    ipam.forget(ipam.expired(later(2 + DAY)));
    expect(prefixOf(grant(ipam, [service(1, "b")])[0])).toContain("/32");
  });

  test("bringing back somebody else's name moves it to the quota of who did", () => {
    const ipam = ipamOf({ servicesPerCluster: 1 });
    grant(ipam, [service(1, "web")]);
    release(ipam, WEB);
    grant(ipam, [service(2, "web")], later(1));
    expect(prefixOf(grant(ipam, [service(1, "b")])[0])).toContain("/32");
    expect(refusalOf(grant(ipam, [service(2, "c")])[0])).toContain("quota");
  });

  test("the count survives a restart", () => {
    const ipam = ipamOf({ servicesPerCluster: 1 });
    grant(ipam, [service(1, "web")]);
    const next = ipamOf({ servicesPerCluster: 1 });
    next.load(ipam.list());
    expect(refusalOf(grant(next, [service(1, "b")])[0])).toContain("quota");
  });
});

function expectValue<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!result.ok) throw new Error("refused");
  return result.value;
}
