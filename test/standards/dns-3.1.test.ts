import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpoint, headless, ip, pods, virtual } from "../../src/dns/example-services.ts";
import { EXAMPLE } from "./dns-example.ts";
import { ENGINES, type Server, SOA, serve, Z } from "./dns-server.ts";

describe.each(ENGINES)("the multicluster DNS specification, UDP by %s", (engine) => {
  let server!: Server;
  beforeAll(async () => {
    server = await serve(engine, EXAMPLE);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const nodata = { rcode: "NOERROR", authoritative: true, answers: [], authorities: [SOA] };
  const absent = { rcode: "NXDOMAIN", authoritative: true, answers: [], authorities: [SOA] };
  const answers = async (name: string, type: string): Promise<readonly string[]> => {
    const got = await server.ask(name, type);
    expect(got).toMatchObject({ rcode: "NOERROR", authoritative: true, truncated: false, authorities: [] });
    return got.answers.toSorted();
  };

  test("[3.1-version] dns-version says the schema, and what is configured instead", async () => {
    expect(await answers(`dns-version.${Z}`, "TXT")).toEqual([`dns-version.${Z} 28800 TXT "1.0.0"`]);
    await using other = await serve(engine, [], { zone: { compat: { dnsVersion: "1.1.0" } } });
    expect((await other.ask(`dns-version.${Z}`, "TXT")).answers).toEqual([`dns-version.${Z} 28800 TXT "1.1.0"`]);
  });

  test("[3.1-clusterset-ip-a] every IPv4 clusterset IP", async () => {
    expect(await answers(`web.shop.svc.${Z}`, "A")).toEqual([`web.shop.svc.${Z} 5 A 10.0.0.1`]);
    expect(await server.ask(`v6.shop.svc.${Z}`, "A")).toMatchObject(nodata);
    await using two = await serve(engine, [virtual({ addresses: [ip("10.0.0.1"), ip("10.0.0.2")] })]);
    expect((await two.ask(`web.shop.svc.${Z}`, "A")).answers.toSorted()).toEqual([
      `web.shop.svc.${Z} 5 A 10.0.0.1`,
      `web.shop.svc.${Z} 5 A 10.0.0.2`,
    ]);
  });

  test("[3.1-clusterset-ip-aaaa] every IPv6 clusterset IP; NODATA for a family without one", async () => {
    expect(await answers(`web.shop.svc.${Z}`, "AAAA")).toEqual([`web.shop.svc.${Z} 5 AAAA fd00::1`]);
    expect(await answers(`v6.shop.svc.${Z}`, "AAAA")).toEqual([`v6.shop.svc.${Z} 5 AAAA fd00::6`]);
    expect(await server.ask(`v4.shop.svc.${Z}`, "AAAA")).toMatchObject(nodata);
  });

  test("[3.1-clusterset-ip-srv] one record per named port, at the service's own name, priority before weight", async () => {
    const at = `dns.shop.svc.${Z}`;
    expect(await answers(`_dns._udp.${at}`, "SRV")).toEqual([`_dns._udp.${at} 5 SRV 0 100 53 ${at}`]);
    expect(await answers(`_dns-tcp._tcp.${at}`, "SRV")).toEqual([`_dns-tcp._tcp.${at} 5 SRV 0 100 53 ${at}`]);
    for (const none of [`_._tcp.${at}`, `_dns._tcp.${at}`, `_9153._tcp.${at}`]) {
      expect(await server.ask(none, "SRV")).toMatchObject(absent);
    }
    const { additionals } = await server.ask(`_http._tcp.web.shop.svc.${Z}`, "SRV");
    expect(additionals).toEqual([`web.shop.svc.${Z} 5 A 10.0.0.1`, `web.shop.svc.${Z} 5 AAAA fd00::1`]);
  });

  test("[3.1-ptr] a clusterset IP has no PTR, neither without a reverse zone nor in one", async () => {
    expect(await server.ask("1.0.0.10.in-addr.arpa", "PTR")).toMatchObject({ rcode: "REFUSED", answers: [] });
    const networks = ["10.0.0.0/16" as never];
    await using reversed = await serve(engine, EXAMPLE, { changes: [{ kind: "reverse", networks }] });
    expect(await reversed.ask("1.0.0.10.in-addr.arpa", "PTR")).toMatchObject({ rcode: "NXDOMAIN", answers: [] });
  });

  test("[3.1-cluster-name] a cluster's name below a service has no record, for either kind of service", async () => {
    for (const type of ["A", "AAAA", "SRV", "TXT", "CNAME", "ANY"]) {
      expect(await server.ask(`a.db.shop.svc.${Z}`, type)).toMatchObject({ answers: [], additionals: [] });
      expect(await server.ask(`a.web.shop.svc.${Z}`, type)).toMatchObject({ ...absent, additionals: [] });
    }
  });

  test("[3.1-headless-addresses] every ready endpoint of every cluster", async () => {
    const name = `db.shop.svc.${Z}`;
    expect(await answers(name, "A")).toEqual([`${name} 5 A 10.1.0.1`, `${name} 5 A 10.2.0.1`]);
    expect(await answers(name, "AAAA")).toEqual([`${name} 5 AAAA fd00:2::1`, `${name} 5 AAAA fd00:2::2`]);
  });

  test("[3.1-headless-addresses] where not all fit, UDP is cut, and TCP has one subset for A and AAAA, always", async () => {
    await using big = await serve(engine, [headless(pods(3000, true)), headless(pods(1500, true), { name: "fits" })]);
    const podsOf = (lines: readonly string[]): readonly number[] =>
      lines
        .map((line) => line.split(" ").at(-1) ?? "")
        .map((address) => {
          const [third = "", fourth = ""] = address.split(".").slice(2);
          return address.includes(":")
            ? Number.parseInt(address.slice(6), 16) - 1
            : Number(third) * 256 + Number(fourth);
        })
        .toSorted((a, b) => a - b);
    const [first, second, third] = [
      await big.ask(`db.shop.svc.${Z}`, "A"),
      await big.ask(`db.shop.svc.${Z}`, "AAAA"),
      await big.ask(`db.shop.svc.${Z}`, "A"),
    ];
    expect([first.cut, second.cut, first.truncated]).toEqual([true, true, false]);
    expect(first.bytes).toBeLessThanOrEqual(65_535);
    expect(podsOf(first.answers).length).toBeGreaterThan(2200);
    expect(podsOf(second.answers)).toEqual(podsOf(first.answers));
    expect(podsOf(third.answers)).toEqual(podsOf(first.answers));
    const whole = await big.ask(`fits.shop.svc.${Z}`, "AAAA");
    expect([whole.cut, whole.answers.length]).toEqual([true, 1500]);
  }, 60_000);

  test("[3.1-headless-none-ready] without a ready endpoint the name does not exist, and comes with the first", async () => {
    expect(await server.ask(`none.shop.svc.${Z}`, "A")).toMatchObject(absent);
    const service = headless([endpoint("p9", "a", ["10.1.0.9"])], { name: "none" });
    await server.update([{ kind: "service", service }]);
    expect((await server.ask(`none.shop.svc.${Z}`, "A")).answers).toEqual([`none.shop.svc.${Z} 5 A 10.1.0.9`]);
    await server.update([{ kind: "service", service: { ...service, endpoints: [] } }]);
    expect(await server.ask(`none.shop.svc.${Z}`, "A")).toMatchObject(absent);
    expect(await server.ask(`p9.a.none.shop.svc.${Z}`, "A")).toMatchObject(absent);
  });

  test("[3.1-headless-host] every address of a hostname in a cluster, and of no other", async () => {
    expect(await answers(`p0.a.db.shop.svc.${Z}`, "A")).toEqual([`p0.a.db.shop.svc.${Z} 5 A 10.1.0.1`]);
    expect(await server.ask(`p0.a.db.shop.svc.${Z}`, "AAAA")).toMatchObject(nodata);
    expect(await answers(`p0.b.db.shop.svc.${Z}`, "A")).toEqual([`p0.b.db.shop.svc.${Z} 5 A 10.2.0.1`]);
    expect(await answers(`p0.b.db.shop.svc.${Z}`, "AAAA")).toEqual([`p0.b.db.shop.svc.${Z} 5 AAAA fd00:2::1`]);
    expect(await server.ask(`p1.a.db.shop.svc.${Z}`, "A")).toMatchObject(absent);
  });

  test("[3.1-headless-srv] one record per ready endpoint and named port, over all clusters", async () => {
    const admin = { name: "admin", protocol: "TCP", port: 99 } as const;
    const http = { name: "http", protocol: "TCP", port: 80 } as const;
    await using two = await serve(engine, [
      headless([endpoint("p0", "a", ["10.1.0.1"], [http, admin]), endpoint("p0", "b", ["10.2.0.1"], [http, admin])]),
    ]);
    const name = `db.shop.svc.${Z}`;
    for (const [label, port] of [
      ["_http._tcp", 80],
      ["_admin._tcp", 99],
    ] as const) {
      expect((await two.ask(`${label}.${name}`, "SRV")).answers).toEqual([
        `${label}.${name} 5 SRV 0 50 ${port} p0.a.${name}`,
        `${label}.${name} 5 SRV 0 50 ${port} p0.b.${name}`,
      ]);
    }
    expect((await two.ask(name, "SRV")).answers).toHaveLength(4);
  });

  test("[3.1-lengths] what cannot be encoded is left out and counted; the rest is answered", async () => {
    const long = "x".repeat(63);
    const odd = headless([endpoint(long, long, ["10.1.0.1"]), endpoint("p1", "a", ["10.1.0.2"])], {
      namespace: long,
      name: long,
    });
    const ports = [
      { name: "y".repeat(63), protocol: "TCP", port: 1 },
      { name: "http", protocol: "TCP", port: 80 },
    ] as const;
    await using strange = await serve(engine, [odd, virtual({ ports })]);
    expect((await strange.ask(`${long}.${long}.svc.${Z}`, "A")).answers).toHaveLength(2);
    expect((await strange.ask(`p1.a.${long}.${long}.svc.${Z}`, "A")).answers).toHaveLength(1);
    expect((await strange.ask(`web.shop.svc.${Z}`, "SRV")).answers).toHaveLength(2);
    expect((await strange.ask(`_http._tcp.web.shop.svc.${Z}`, "SRV")).answers).toHaveLength(1);
    expect(strange.skippedNames()).toBe(2);
    expect(strange.troubles()).toEqual([expect.stringMatching(/^dns-skipped: 2 names, of \S+ and 1 more service$/)]);
    await strange.update([
      { kind: "remove", namespace: long, name: long },
      { kind: "service", service: virtual() },
    ]);
    expect([strange.skippedNames(), strange.troubles()]).toEqual([0, []]);
  });
});
