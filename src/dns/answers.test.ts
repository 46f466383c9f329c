import { describe, expect, test } from "vitest";
import { endpoint, HTTP, headless, ip, pods, virtual } from "./example-services.ts";
import { testbed } from "./testbed.ts";

const Z = "clusterset.local";
const SOA = `${Z} 5 SOA ns.dns.${Z} hostmaster.${Z} 1000 7200 1800 86400 5`;

/** What the zone of these tests holds: one service of each kind that the specification tells apart. */
const SERVICES = [
  virtual({ addresses: [ip("10.0.0.1"), ip("fd00::1")] }),
  virtual({ name: "v4", ports: [] }),
  virtual({ name: "pending", addresses: [] }),
  virtual({
    name: "dns",
    ports: [
      { name: "dns", protocol: "UDP", port: 53 },
      { name: "dns-tcp", protocol: "TCP", port: 53 },
      { name: "", protocol: "TCP", port: 9153 },
    ],
  }),
  headless([endpoint("p0", "a", ["10.1.0.1"]), endpoint("p0", "b", ["10.2.0.1", "fd00:2::1"])]),
  headless([], { name: "none" }),
];
const bed = testbed(SERVICES, { serverAddresses: [ip("10.9.9.9"), ip("fd00::9")] });

type Row = readonly [name: string, type: string, answers: readonly string[]];

describe("3.1 the multicluster DNS specification", () => {
  const rows: readonly Row[] = [
    [`dns-version.${Z}`, "TXT", [`dns-version.${Z} 28800 TXT "1.0.0"`]],
    [`web.shop.svc.${Z}`, "A", [`web.shop.svc.${Z} 5 A 10.0.0.1`]],
    [`web.shop.svc.${Z}`, "AAAA", [`web.shop.svc.${Z} 5 AAAA fd00::1`]],
    [`_http._tcp.web.shop.svc.${Z}`, "SRV", [`_http._tcp.web.shop.svc.${Z} 5 SRV 0 50 80 web.shop.svc.${Z}`]],
    [`_dns._udp.dns.shop.svc.${Z}`, "SRV", [`_dns._udp.dns.shop.svc.${Z} 5 SRV 0 100 53 dns.shop.svc.${Z}`]],
    [`p0.a.db.shop.svc.${Z}`, "A", [`p0.a.db.shop.svc.${Z} 5 A 10.1.0.1`]],
    [`p0.b.db.shop.svc.${Z}`, "A", [`p0.b.db.shop.svc.${Z} 5 A 10.2.0.1`]],
    [`p0.b.db.shop.svc.${Z}`, "AAAA", [`p0.b.db.shop.svc.${Z} 5 AAAA fd00:2::1`]],
    [
      `_http._tcp.db.shop.svc.${Z}`,
      "SRV",
      [
        `_http._tcp.db.shop.svc.${Z} 5 SRV 0 33 80 p0.a.db.shop.svc.${Z}`,
        `_http._tcp.db.shop.svc.${Z} 5 SRV 0 33 80 p0.b.db.shop.svc.${Z}`,
      ],
    ],
  ];
  test.each(rows)("%s %s", (name, type, answers) => {
    const got = bed.ask(name, type);
    expect(got).toMatchObject({ rcode: "NOERROR", authoritative: true, truncated: false, authorities: [] });
    expect(got.answers).toEqual(answers);
  });

  test("a headless name has every ready endpoint of every cluster, in any order", () => {
    const { answers } = bed.ask(`db.shop.svc.${Z}`, "A");
    expect(answers.toSorted()).toEqual([`db.shop.svc.${Z} 5 A 10.1.0.1`, `db.shop.svc.${Z} 5 A 10.2.0.1`]);
  });

  test("a headless name without a ready endpoint does not exist", () => {
    expect(bed.ask(`none.shop.svc.${Z}`, "A")).toMatchObject({ rcode: "NXDOMAIN", authorities: [SOA] });
  });

  test("a member's name has no record of its own, for either kind of service", () => {
    for (const type of ["A", "AAAA", "SRV", "TXT"]) {
      expect(bed.ask(`a.db.shop.svc.${Z}`, type).answers).toEqual([]);
      expect(bed.ask(`a.web.shop.svc.${Z}`, type)).toMatchObject({ rcode: "NXDOMAIN", answers: [] });
    }
  });

  test("an unnamed port has no _port._proto name", () => {
    expect(bed.ask(`_._tcp.dns.shop.svc.${Z}`, "SRV").rcode).toBe("NXDOMAIN");
  });

  test("A and AAAA show the same subset when not all endpoints fit a message", () => {
    const big = testbed([headless(pods(3000, true))]);
    const v4 = big.ask(`db.shop.svc.${Z}`, "A", { tcp: true });
    const v6 = big.ask(`db.shop.svc.${Z}`, "AAAA", { tcp: true });
    const pod = (line: string, base: number): number => Number.parseInt(line.split(/[.:]/).at(-1) ?? "", base);
    const of4 = v4.answers.map((line) => Number(line.split(".").at(-2)) * 256 + pod(line, 10));
    const of6 = v6.answers.map((line) => pod(line, 16) - 1);
    expect(of4.length).toBeGreaterThan(2000);
    expect(of4.toSorted()).toEqual(of6.toSorted());
  });
});

describe("3.3 what CoreDNS does as well", () => {
  test("an absence says how long to keep it: SOA with TTL and MINIMUM", () => {
    expect(bed.ask(`nope.shop.svc.${Z}`, "A")).toMatchObject({ rcode: "NXDOMAIN", authorities: [SOA], flags: 0x8400 });
    expect(bed.ask(`v4.shop.svc.${Z}`, "AAAA")).toMatchObject({ rcode: "NOERROR", answers: [], authorities: [SOA] });
  });

  test("the SOA's TTL is never above 300 s", () => {
    const slow = testbed([], { ttl: 3600 });
    expect(slow.ask(`x.${Z}`, "A").authorities).toEqual([SOA.replace(" 5 SOA", " 300 SOA").replace(/ 5$/, " 3600")]);
  });

  test("the asker's spelling comes back in owners, and its zone part in SRV targets and SOA", () => {
    const { answers } = bed.ask("_HTTP._Tcp.weB.Shop.svC.ClusterSet.LOCAL", "SRV");
    expect(answers).toEqual(["_HTTP._Tcp.weB.Shop.svC.ClusterSet.LOCAL 5 SRV 0 50 80 web.shop.svc.ClusterSet.LOCAL"]);
    const [soa] = bed.ask("x.ClusterSet.LOCAL", "A").authorities;
    expect(soa).toContain("ClusterSet.LOCAL 5 SOA ns.dns.ClusterSet.LOCAL hostmaster.ClusterSet.LOCAL");
  });

  test("every SRV target of a headless service takes the spelling", () => {
    const { answers } = bed.ask("_http._tcp.db.shop.svc.CLUSTERSET.local", "SRV");
    expect(answers.map((line) => line.split(" ").at(-1))).toEqual([
      "p0.a.db.shop.svc.CLUSTERSET.local",
      "p0.b.db.shop.svc.CLUSTERSET.local",
    ]);
  });

  test("SRV at the service's own name has all ports, each record once", () => {
    const { answers } = bed.ask(`dns.shop.svc.${Z}`, "SRV");
    expect(answers).toEqual([
      `dns.shop.svc.${Z} 5 SRV 0 33 53 dns.shop.svc.${Z}`,
      `dns.shop.svc.${Z} 5 SRV 0 33 9153 dns.shop.svc.${Z}`,
    ]);
  });

  test("SRV's Additional has the targets' addresses", () => {
    expect(bed.ask(`_http._tcp.web.shop.svc.${Z}`, "SRV").additionals).toEqual([
      `web.shop.svc.${Z} 5 A 10.0.0.1`,
      `web.shop.svc.${Z} 5 AAAA fd00::1`,
    ]);
    expect(bed.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV").additionals).toEqual([
      `p0.a.db.shop.svc.${Z} 5 A 10.1.0.1`,
      `p0.b.db.shop.svc.${Z} 5 A 10.2.0.1`,
      `p0.b.db.shop.svc.${Z} 5 AAAA fd00:2::1`,
    ]);
  });

  test("the weight of an SRV record is at least 1", () => {
    const many = testbed([headless(pods(300))]);
    expect(many.ask(`db.shop.svc.${Z}`, "SRV", { tcp: true }).answers[0]).toContain("SRV 0 1 80");
  });

  test("a _port._proto name answers addresses too", () => {
    expect(bed.ask(`_http._tcp.web.shop.svc.${Z}`, "A").answers).toEqual([`_http._tcp.web.shop.svc.${Z} 5 A 10.0.0.1`]);
  });

  test("a service without ports or without an address exists all the same", () => {
    expect(bed.ask(`v4.shop.svc.${Z}`, "A").answers).toHaveLength(1);
    for (const type of ["A", "AAAA", "SRV"]) {
      expect(bed.ask(`pending.shop.svc.${Z}`, type)).toMatchObject({ rcode: "NOERROR", answers: [] });
      expect(bed.ask(`_http._tcp.pending.shop.svc.${Z}`, type)).toMatchObject({ rcode: "NOERROR", answers: [] });
    }
  });

  test("a namespace exists if something is in it or it is said to, and not otherwise", () => {
    const namespaces = testbed([virtual()]);
    namespaces.builder.setNamespaces(["empty"]);
    expect(namespaces.ask(`empty.svc.${Z}`, "A").rcode).toBe("NOERROR");
    expect(namespaces.ask(`shop.svc.${Z}`, "A").rcode).toBe("NOERROR");
    expect(namespaces.ask(`other.svc.${Z}`, "A").rcode).toBe("NXDOMAIN");
    namespaces.builder.setNamespaces([]);
    namespaces.builder.remove("shop", "web");
    expect(namespaces.ask(`empty.svc.${Z}`, "A").rcode).toBe("NXDOMAIN");
    expect(namespaces.ask(`shop.svc.${Z}`, "A").rcode).toBe("NXDOMAIN");
  });

  test("addresses come in another order each time", () => {
    const ten = testbed([headless(pods(10))]);
    const firsts = new Set(Array.from({ length: 200 }, () => ten.ask(`db.shop.svc.${Z}`, "A").answers[0]));
    expect(firsts.size).toBe(10);
    const sets = Array.from({ length: 20 }, () => ten.ask(`db.shop.svc.${Z}`, "A").answers.toSorted().join());
    expect(new Set(sets).size).toBe(1);
  });

  test("addresses spread although A and AAAA are asked in turn", () => {
    const two = testbed([headless(pods(2, true))]);
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 50; i++) {
      firsts.add(two.ask(`db.shop.svc.${Z}`, "A").answers[0]);
      two.ask(`db.shop.svc.${Z}`, "AAAA");
    }
    expect(firsts.size).toBe(2);
  });
});

describe("3.4 where CoreDNS is wrong", () => {
  const nodata: readonly (readonly [row: string, name: string, type: string])[] = [
    ["Q1", `a.db.shop.svc.${Z}`, "A"],
    ["Q2", `_tcp.web.shop.svc.${Z}`, "SRV"],
    ["Q2", `_tcp.db.shop.svc.${Z}`, "A"],
    ["Q3", Z, "TXT"],
    ["Q3", `svc.${Z}`, "TXT"],
    ["Q3", `shop.svc.${Z}`, "TXT"],
    ["Q5", `dns.${Z}`, "A"],
  ];
  test.each(nodata)("%s: %s %s exists without a record", (_, name, type) => {
    expect(bed.ask(name, type)).toMatchObject({ rcode: "NOERROR", answers: [], authorities: [SOA] });
  });

  const absent: readonly (readonly [row: string, name: string, type: string])[] = [
    ["Q4", `nope.shop.svc.${Z}`, "SOA"],
    ["Q6", `web.shop.pod.${Z}`, "A"],
    ["Q7", `p0.a.web.shop.svc.${Z}`, "A"],
    ["Q9", `x._http._tcp.db.shop.svc.${Z}`, "A"],
    ["Q9", `x.p0.a.db.shop.svc.${Z}`, "A"],
  ];
  test.each(absent)("%s: %s %s does not exist", (_, name, type) => {
    expect(bed.ask(name, type)).toMatchObject({ rcode: "NXDOMAIN", answers: [], authorities: [SOA] });
  });

  test("Q5: the apex has NS with glue, and ns.dns answers", () => {
    const got = bed.ask(Z, "NS");
    expect(got.answers).toEqual([`${Z} 5 NS ns.dns.${Z}`]);
    expect(got.additionals).toEqual([`ns.dns.${Z} 5 A 10.9.9.9`, `ns.dns.${Z} 5 AAAA fd00::9`]);
    expect(bed.ask(`ns.dns.${Z}`, "A").answers).toEqual([`ns.dns.${Z} 5 A 10.9.9.9`]);
    expect(bed.ask(`x.ns.dns.${Z}`, "A").rcode).toBe("NXDOMAIN");
  });

  test("Q8: a headless SRV record has the endpoint's port, its own for each", () => {
    const own = testbed([
      headless([
        endpoint("p0", "a", ["10.1.0.1"], [{ ...HTTP, port: 8080 }]),
        endpoint("p1", "a", ["10.1.0.2"], [{ ...HTTP, port: 9090 }]),
      ]),
    ]);
    const ports = own.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV").answers.map((line) => line.split(" ")[5]);
    expect(ports).toEqual(["8080", "9090"]);
  });
});
