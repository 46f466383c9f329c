import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpoint, HTTP, headless, virtual } from "../../src/dns/example-services.ts";
import { COREDNS, type DnsCompat } from "../../src/dns/index.ts";
import { EXAMPLE } from "./dns-example.ts";
import { ENGINES, type Server, SOA, serve, Z } from "./dns-server.ts";

describe.each(ENGINES)("where CoreDNS and the RFCs part, UDP by %s", (engine) => {
  let server!: Server;
  beforeAll(async () => {
    server = await serve(engine, EXAMPLE);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const nodata = { rcode: "NOERROR", authoritative: true, answers: [], authorities: [SOA] };
  const absent = { rcode: "NXDOMAIN", authoritative: true, answers: [], authorities: [SOA] };
  const TYPES = ["A", "AAAA", "TXT", "SRV", "NS", "HTTPS", "SOA", "TYPE999"];
  const as = (compat: DnsCompat) => serve(engine, EXAMPLE, { zone: { compat } });

  test("[3.4-Q1] a cluster's name below a headless service is an empty non-terminal", async () => {
    for (const type of TYPES) expect(await server.ask(`a.db.shop.svc.${Z}`, type)).toMatchObject(nodata);
    expect(await server.ask(`c.db.shop.svc.${Z}`, "A")).toMatchObject(absent);
    await using coredns = await as({ q1ClusterNames: true });
    expect(await coredns.ask(`a.db.shop.svc.${Z}`, "A")).toMatchObject(absent);
    expect((await coredns.ask(`p0.a.db.shop.svc.${Z}`, "A")).answers).toHaveLength(1);
    expect(await coredns.ask(`_tcp.db.shop.svc.${Z}`, "A")).toMatchObject(nodata);
  });

  test("[3.4-Q2] a protocol's name below a service is an empty non-terminal", async () => {
    for (const service of ["web", "db"]) {
      for (const type of TYPES) expect(await server.ask(`_tcp.${service}.shop.svc.${Z}`, type)).toMatchObject(nodata);
    }
    expect(await server.ask(`_udp.web.shop.svc.${Z}`, "A")).toMatchObject(absent);
    await using coredns = await as({ q2ProtocolNames: true });
    expect(await coredns.ask(`_tcp.web.shop.svc.${Z}`, "A")).toMatchObject(absent);
    expect((await coredns.ask(`_http._tcp.web.shop.svc.${Z}`, "SRV")).answers).toHaveLength(1);
    expect(await coredns.ask(`a.db.shop.svc.${Z}`, "A")).toMatchObject(nodata);
  });

  test("[3.4-Q3] the apex, svc and a namespace are NODATA for TXT as for every type they lack", async () => {
    for (const name of [`svc.${Z}`, `shop.svc.${Z}`]) {
      for (const type of TYPES) expect(await server.ask(name, type)).toMatchObject(nodata);
    }
    for (const type of ["A", "TXT", "HTTPS"]) expect(await server.ask(Z, type)).toMatchObject(nodata);
    await using coredns = await as({ q3EmptyText: true });
    for (const name of [Z, `svc.${Z}`, `shop.svc.${Z}`]) {
      expect(await coredns.ask(name, "TXT")).toMatchObject(absent);
      expect(await coredns.ask(name, "A")).toMatchObject(nodata);
    }
    expect(await coredns.ask(`web.shop.svc.${Z}`, "TXT")).toMatchObject(nodata);
    expect((await coredns.ask(`dns-version.${Z}`, "TXT")).answers).toHaveLength(1);
  });

  test("[3.4-Q4] SOA of a name that does not exist is NXDOMAIN, of one that does NODATA", async () => {
    expect(await server.ask(`nope.shop.svc.${Z}`, "SOA")).toMatchObject(absent);
    expect(await server.ask(`web.shop.svc.${Z}`, "SOA")).toMatchObject(nodata);
    await using coredns = await as({ q4SoaBelowApex: true });
    expect(await coredns.ask(`nope.shop.svc.${Z}`, "SOA")).toMatchObject(nodata);
    expect(await coredns.ask(`nope.shop.svc.${Z}`, "A")).toMatchObject(absent);
  });

  test("[3.4-Q5] the apex has NS and glue; ns.dns answers, dns is NODATA", async () => {
    const glue = [`ns.dns.${Z} 5 A 10.9.9.9`, `ns.dns.${Z} 5 AAAA fd00::9`];
    expect(await server.ask(Z, "NS")).toMatchObject({
      rcode: "NOERROR",
      authoritative: true,
      answers: [`${Z} 5 NS ns.dns.${Z}`],
      additionals: glue,
    });
    expect((await server.ask(`ns.dns.${Z}`, "A")).answers).toEqual([glue[0]]);
    expect((await server.ask(`ns.dns.${Z}`, "AAAA")).answers).toEqual([glue[1]]);
    for (const type of TYPES) expect(await server.ask(`dns.${Z}`, type)).toMatchObject(nodata);
    await using plugin = await as({ q5NoApexServer: true });
    for (const name of [Z, `ns.dns.${Z}`, `dns.${Z}`]) expect(await plugin.ask(name, "NS")).toMatchObject(absent);
    expect((await plugin.ask(Z, "SOA")).answers).toEqual([SOA]);
  });

  test("[3.4-Q6] nothing exists below pod", async () => {
    for (const name of [`web.shop.pod.${Z}`, `shop.pod.${Z}`, `10-1-0-1.shop.pod.${Z}`]) {
      for (const type of TYPES) expect(await server.ask(name, type)).toMatchObject(absent);
    }
    await using plugin = await as({ q6PodNames: true });
    expect((await plugin.ask(`web.shop.pod.${Z}`, "A")).answers).toEqual([`web.shop.pod.${Z} 5 A 10.0.0.1`]);
    expect((await plugin.ask(`_http._tcp.web.shop.pod.${Z}`, "SRV")).answers).toHaveLength(1);
    expect(await plugin.ask(`shop.pod.${Z}`, "A")).toMatchObject(nodata);
    await plugin.update([{ kind: "remove", namespace: "shop", name: "web" }]);
    expect(await plugin.ask(`web.shop.pod.${Z}`, "A")).toMatchObject(absent);
  });

  test("[3.4-Q7] a ClusterSetIP service has no names of endpoints, though the zone is told of them", async () => {
    const service = virtual({ endpoints: [endpoint("p0", "a", ["10.1.0.1"])] });
    await using told = await serve(engine, [service]);
    for (const name of ["p0.a.web", "a.web"]) {
      expect(await told.ask(`${name}.shop.svc.${Z}`, "A")).toMatchObject(absent);
    }
    await using coredns = await serve(engine, [service], { zone: { compat: { q7EndpointNames: true } } });
    const name = `p0.a.web.shop.svc.${Z}`;
    expect((await coredns.ask(name, "A")).answers).toEqual([`${name} 5 A 10.1.0.1`]);
    expect((await coredns.ask(`web.shop.svc.${Z}`, "A")).answers).toEqual([`web.shop.svc.${Z} 5 A 10.0.0.1`]);
    expect((await coredns.ask(`web.shop.svc.${Z}`, "SRV")).answers).toEqual([
      `web.shop.svc.${Z} 5 SRV 0 100 80 web.shop.svc.${Z}`,
    ]);
  });

  test("[3.4-Q8] a headless SRV record has the endpoint's own port", async () => {
    const own = headless([
      endpoint("p0", "a", ["10.1.0.1"], [{ ...HTTP, port: 8080 }]),
      endpoint("p1", "a", ["10.1.0.2"], [{ ...HTTP, port: 9090 }]),
    ]);
    await using ports = await serve(engine, [own]);
    const name = `_http._tcp.db.shop.svc.${Z}`;
    expect((await ports.ask(name, "SRV")).answers).toEqual([
      `${name} 5 SRV 0 50 8080 p0.a.db.shop.svc.${Z}`,
      `${name} 5 SRV 0 50 9090 p1.a.db.shop.svc.${Z}`,
    ]);
  });

  test("[3.4-Q9] nothing exists below a service's longest names", async () => {
    for (const name of ["x._http._tcp.db", "x.p0.a.db", "x.y.p0.a.db", "x._http._tcp.web", "a.b.c.d.e.web"]) {
      for (const type of TYPES) expect(await server.ask(`${name}.shop.svc.${Z}`, type)).toMatchObject(absent);
    }
  });

  test("all of CoreDNS's own answers at once", async () => {
    await using coredns = await as(COREDNS);
    expect((await coredns.ask(`dns-version.${Z}`, "TXT")).answers).toEqual([`dns-version.${Z} 28800 TXT "1.1.0"`]);
    for (const [name, type, rcode] of [
      ["a.db.shop.svc", "A", "NXDOMAIN"],
      ["_tcp.web.shop.svc", "A", "NXDOMAIN"],
      ["shop.svc", "TXT", "NXDOMAIN"],
      ["nope.shop.svc", "SOA", "NOERROR"],
      ["v4.shop.svc", "A", "NXDOMAIN"],
      ["web.shop.pod", "A", "NXDOMAIN"],
    ] as const) {
      expect([name, (await coredns.ask(`${name}.${Z}`, type)).rcode]).toEqual([name, rcode]);
    }
    expect((await coredns.ask(Z, "NS")).answers).toHaveLength(1);
  });
});
