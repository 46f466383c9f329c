import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HTTP, headless, ip, pods, virtual } from "../../src/dns/example-services.ts";
import { EXAMPLE } from "./dns-example.ts";
import { headlessFromManifest } from "./dns-manifest.ts";
import { ENGINES, SERIAL, type Server, SOA, serve, Z } from "./dns-server.ts";

describe.each(ENGINES)("what CoreDNS's plugins share, UDP by %s", (engine) => {
  let server!: Server;
  beforeAll(async () => {
    server = await serve(engine, EXAMPLE);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const nodata = { rcode: "NOERROR", authoritative: true, answers: [], authorities: [SOA] };
  const absent = { rcode: "NXDOMAIN", authoritative: true, answers: [], authorities: [SOA] };
  const web = `web.shop.svc.${Z}`;

  test("[3.3-ttl] one lifetime for all records, 5 s unless configured", async () => {
    const got = await server.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV");
    for (const line of [...got.answers, ...got.additionals]) expect(line.split(" ")[1]).toBe("5");
    for (const ttl of [0, 3600]) {
      await using other = await serve(engine, EXAMPLE, { zone: { ttl } });
      expect((await other.ask(web, "A")).answers).toEqual([`${web} ${ttl} A 10.0.0.1`]);
      expect((await other.ask(Z, "NS")).answers).toEqual([`${Z} ${ttl} NS ns.dns.${Z}`]);
    }
  });

  test("[3.3-negative] NXDOMAIN and NODATA are authoritative and carry the SOA", async () => {
    expect(await server.ask(`nope.shop.svc.${Z}`, "A")).toMatchObject(absent);
    expect(await server.ask(web, "TXT")).toMatchObject(nodata);
    expect(await server.ask(Z, "SOA")).toMatchObject({ answers: [SOA], authorities: [] });
    await using slow = await serve(engine, [], { zone: { ttl: 3600 } });
    const soa = SOA.replace(" 5 SOA", " 300 SOA").replace(/ 5$/, " 3600");
    expect((await slow.ask(`x.${Z}`, "A")).authorities).toEqual([soa]);
  });

  test("[3.3-negative] the serial does not go back when the program starts again with a clock that did", async () => {
    const serialOf = async (one: Server): Promise<number> =>
      Number((await one.ask(Z, "SOA")).answers[0]?.split(" ")[5]);
    let kept = SERIAL + 1000;
    const reserve = (upTo: number): void => {
      kept = upTo;
    };
    const serial = (floor: number) => ({ floor, reserve });
    await using first = await serve(engine, [], { responder: { serial: serial(kept) } });
    const shown = await serialOf(first);
    expect(shown).toBeGreaterThan(SERIAL + 1000);
    expect(kept).toBeGreaterThanOrEqual(shown);
    await using second = await serve(engine, [], { responder: { serial: serial(kept) } });
    expect(await serialOf(second)).toBeGreaterThan(shown);
    expect(await serialOf(server)).toBe(SERIAL);
  });

  test("[3.3-unsynced] before the first sync unknown is SERVFAIL with the SOA, known is answered", async () => {
    await using early = await serve(engine, EXAMPLE, { synced: false });
    expect((await early.ask(web, "A")).answers).toEqual([`${web} 5 A 10.0.0.1`]);
    const unknown = await early.ask(`nope.shop.svc.${Z}`, "A", { edns: {} });
    expect(unknown).toMatchObject({ rcode: "SERVFAIL", authorities: [SOA], extendedError: 14 });
    await early.update([{ kind: "synced", synced: true }]);
    expect(await early.ask(`nope.shop.svc.${Z}`, "A")).toMatchObject(absent);
  });

  test("[3.3-case] the question's spelling in owners, its zone part in SRV targets and SOA", async () => {
    const odd = "ClusterSet.LOCAL";
    expect((await server.ask(`_HTTP._Tcp.weB.Shop.svC.${odd}`, "SRV")).answers).toEqual([
      `_HTTP._Tcp.weB.Shop.svC.${odd} 5 SRV 0 50 80 web.shop.svc.${odd}`,
    ]);
    expect((await server.ask(`WEB.shop.svc.${Z}`, "A")).answers).toEqual([`WEB.shop.svc.${Z} 5 A 10.0.0.1`]);
    const [soa] = (await server.ask(`x.${odd}`, "A")).authorities;
    expect(soa).toContain(`${odd} 5 SOA ns.dns.${odd} hostmaster.${odd}`);
    const targets = (await server.ask(`_http._tcp.db.shop.svc.${odd}`, "SRV")).answers.map((line) =>
      line.split(" ").at(-1),
    );
    expect(targets).toEqual([`p0.a.db.shop.svc.${odd}`, `p0.b.db.shop.svc.${odd}`, `p1.b.db.shop.svc.${odd}`]);
  });

  test("[3.3-srv-weight] 100 shared by the (address, port) pairs, at least 1; priority 0; each record once", async () => {
    const name = `db.shop.svc.${Z}`;
    // Four addresses with one port each, two of them at one name.
    expect((await server.ask(name, "SRV")).answers).toEqual([
      `${name} 5 SRV 0 25 80 p0.a.${name}`,
      `${name} 5 SRV 0 25 80 p0.b.${name}`,
      `${name} 5 SRV 0 25 80 p1.b.${name}`,
    ]);
    await using many = await serve(engine, [headless(pods(300))]);
    const lines = (await many.ask(name, "SRV")).answers;
    expect(lines).toHaveLength(300);
    for (const line of lines) expect(line).toContain("SRV 0 1 80 ");
  });

  describe("from manifests", () => {
    const folder = mkdtempSync(join(tmpdir(), "meridian-rows-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    const SLICE = `
apiVersion: v1
kind: Service
metadata: { name: db, namespace: shop }
spec: { clusterIP: None, ports: [{ name: http, port: 80 }] }
---
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceExport
metadata: { name: db, namespace: shop }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: db-4, namespace: shop, labels: { kubernetes.io/service-name: db } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints:
- { addresses: [10.1.0.1], hostname: named }
- { addresses: [10.1.0.2], conditions: { ready: true } }
- { addresses: [10.1.0.3], conditions: { ready: false, serving: true } }
- { addresses: [10.1.0.4], conditions: { serving: false, terminating: true } }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: db-6, namespace: shop, labels: { kubernetes.io/service-name: db } }
addressType: IPv6
ports: [{ name: http, port: 8080 }]
endpoints:
- { addresses: ["fd00:1::"] }
- { addresses: ["fd00::5"] }
`;

    test("[3.3-ready] an endpoint is ready when conditions.ready is absent or true, whatever else is said", async () => {
      writeFileSync(join(folder, "db.yaml"), SLICE);
      await using real = await serve(engine, [await headlessFromManifest(folder, "shop/db", "a")]);
      const lines = (await real.ask(`db.shop.svc.${Z}`, "A")).answers.map((line) => line.split(" ").at(-1));
      expect(lines.toSorted()).toEqual(["10.1.0.1", "10.1.0.2", "10.1.0.4"]);
    });

    test("[3.3-endpoint-name] the hostname, else the address with dashes, no dash at the end", async () => {
      writeFileSync(join(folder, "db.yaml"), SLICE);
      await using real = await serve(engine, [await headlessFromManifest(folder, "shop/db", "a")]);
      for (const [host, type, address] of [
        ["named", "A", "10.1.0.1"],
        ["10-1-0-2", "A", "10.1.0.2"],
        ["fd00-1--0", "AAAA", "fd00:1::"],
        ["fd00--5", "AAAA", "fd00::5"],
      ] as const) {
        const name = `${host}.a.db.shop.svc.${Z}`;
        expect((await real.ask(name, type)).answers).toEqual([`${name} 5 ${type} ${address}`]);
      }
      expect((await real.ask(`10-1-0-1.a.db.shop.svc.${Z}`, "A")).rcode).toBe("NXDOMAIN");
    });
  });

  test("[3.3-srv-bare] SRV at the service's own name has all ports, unnamed ones too", async () => {
    const name = `dns.shop.svc.${Z}`;
    expect((await server.ask(name, "SRV")).answers).toEqual([
      `${name} 5 SRV 0 33 53 ${name}`,
      `${name} 5 SRV 0 33 9153 ${name}`,
    ]);
  });

  test("[3.3-port-addresses] a _port._proto name has the addresses of what has the port", async () => {
    const name = `_http._tcp.web.shop.svc.${Z}`;
    expect((await server.ask(name, "A")).answers).toEqual([`${name} 5 A 10.0.0.1`]);
    expect((await server.ask(name, "AAAA")).answers).toEqual([`${name} 5 AAAA fd00::1`]);
    expect((await server.ask(`_http._tcp.db.shop.svc.${Z}`, "A")).answers).toHaveLength(2);
  });

  test("[3.3-namespace] unknown is NXDOMAIN; known, svc, pod and the apex are NODATA", async () => {
    await using other = await serve(engine, EXAMPLE, { changes: [{ kind: "namespaces", names: ["empty"] }] });
    for (const name of [`shop.svc.${Z}`, `empty.svc.${Z}`, `svc.${Z}`, `pod.${Z}`, Z]) {
      for (const type of ["A", "AAAA", "SRV"]) expect(await other.ask(name, type)).toMatchObject(nodata);
    }
    for (const type of ["A", "AAAA", "SRV"]) expect(await other.ask(`gone.svc.${Z}`, type)).toMatchObject(absent);
    await other.update([{ kind: "namespaces", names: [] }]);
    expect(await other.ask(`empty.svc.${Z}`, "A")).toMatchObject(absent);
    expect(await other.ask(`shop.svc.${Z}`, "A")).toMatchObject(nodata);
  });

  test("[3.3-no-ports] a service without ports has its addresses; by the switch it does not exist", async () => {
    expect((await server.ask(`v4.shop.svc.${Z}`, "A")).answers).toEqual([`v4.shop.svc.${Z} 5 A 10.0.0.1`]);
    expect(await server.ask(`v4.shop.svc.${Z}`, "SRV")).toMatchObject(nodata);
    await using quirk = await serve(engine, EXAMPLE, { zone: { compat: { noPorts: true } } });
    expect(await quirk.ask(`v4.shop.svc.${Z}`, "A")).toMatchObject(absent);
    expect((await quirk.ask(web, "A")).answers).toHaveLength(1);
  });

  test("[3.3-noendpoints] by the switch headless names and names of endpoints do not exist", async () => {
    await using none = await serve(engine, EXAMPLE, { zone: { compat: { noEndpoints: true, q7EndpointNames: true } } });
    for (const name of [`db.shop.svc.${Z}`, `p0.a.db.shop.svc.${Z}`, `_http._tcp.db.shop.svc.${Z}`]) {
      expect(await none.ask(name, "A")).toMatchObject(absent);
      expect((await server.ask(name, "A")).answers).not.toEqual([]);
    }
    expect((await none.ask(web, "A")).answers).toHaveLength(1);
  });

  test("[3.3-fallthrough] what is absent is NXDOMAIN for every type, and nobody else is asked", async () => {
    for (const type of ["A", "AAAA", "SRV", "TXT", "NS", "SOA", "PTR", "HTTPS", "ANY", "TYPE999"]) {
      expect(await server.ask(`nope.shop.svc.${Z}`, type)).toMatchObject(absent);
    }
    expect(await server.ask("web.shop.svc.cluster.local", "A")).toMatchObject({ rcode: "REFUSED", authorities: [] });
  });

  test("several zones at once: each has every service, under its own name", async () => {
    await using zones = await serve(
      engine,
      [...EXAMPLE, virtual({ name: "api", addresses: [ip("10.0.0.7")], ports: [HTTP] })],
      {
        zone: { moreOrigins: ["mesh.example", "sub.mesh.example"] },
      },
    );
    for (const zone of [Z, "mesh.example", "SUB.mesh.example"]) {
      expect((await zones.ask(`_http._tcp.api.shop.svc.${zone}`, "SRV")).answers).toEqual([
        `_http._tcp.api.shop.svc.${zone} 5 SRV 0 100 80 api.shop.svc.${zone}`,
      ]);
      const [soa] = (await zones.ask(`nope.shop.svc.${zone}`, "A")).authorities;
      expect(soa).toContain(`${zone} 5 SOA ns.dns.${zone} hostmaster.${zone}`);
      expect((await zones.ask(`dns-version.${zone}`, "TXT")).answers).toHaveLength(1);
    }
    await zones.update([{ kind: "remove", namespace: "shop", name: "api" }]);
    for (const zone of [Z, "mesh.example", "sub.mesh.example"]) {
      expect((await zones.ask(`api.shop.svc.${zone}`, "A")).rcode).toBe("NXDOMAIN");
    }
  });
});
