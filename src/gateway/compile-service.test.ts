import { describe, expect, test } from "vitest";
import type { ClusterId } from "#values";
import type { Envelope, ExportBody } from "#wire";
import { compileService, type ServiceContext, servedOf } from "./compile-service.ts";
import { candidatesOf, catalogueOf, cidr, exportBody, grant, ip, serviceGrant, TestMember } from "./testbed.ts";

const WEB = "242.192.0.7";
const context: ServiceContext = {
  own: "amber" as never,
  translation: { pods: [{ local: cidr("10.244.0.0/16"), global: cidr("242.1.0.0/16") }], nodes: new Map() },
  reachable: () => true,
  last: [],
};

/** A clusterset in which members export "web"; each is named with its endpoints. */
function exported(exports: Readonly<Record<string, readonly string[]>>, change: Partial<ExportBody> = {}) {
  const records: Envelope[] = [grant(serviceGrant("web", WEB))];
  const members = new Map<string, TestMember>();
  for (const [name, addresses] of Object.entries(exports)) {
    const member = new TestMember(name, { amber: 1, birch: 2, cedar: 3 }[name] ?? 9);
    members.set(name, member);
    records.push(...member.joined(), ...member.says({ web: exportBody("web", addresses, change) }));
  }
  return { catalogue: catalogueOf(...records), members };
}

function compiled(catalogue: ReturnType<typeof catalogueOf>, change: Partial<ServiceContext> = {}) {
  const service = compileService(catalogue, "shop/web", { ...context, ...change });
  if (service === undefined) throw new Error("nobody exports it");
  return service;
}

const backends = (catalogue: ReturnType<typeof catalogueOf>, change: Partial<ServiceContext> = {}) =>
  compiled(catalogue, change).table[0]?.backends.map(({ address, port, weight }) => `${address}:${port} ${weight}`);

describe("compileService()", () => {
  test("is undefined where nobody exports the name", () => {
    expect(compileService(exported({ birch: ["242.2.0.1"] }).catalogue, "shop/api", context)).toBeUndefined();
  });

  test("answers the service address, and maps it to the endpoints' target ports", () => {
    const { zone, table, address, stale } = compiled(exported({ birch: ["242.2.0.1", "242.2.0.2"] }).catalogue);
    expect(zone).toMatchObject({ type: "ClusterSetIP", addresses: [WEB], endpoints: [] });
    expect(zone.ports).toEqual([{ name: "http", protocol: "TCP", port: 80 }]);
    expect(table).toEqual([
      {
        ...{ address: WEB, protocol: "TCP", port: 80, affinity: "none" },
        backends: [
          { address: "242.2.0.1", port: 8080, weight: 1 },
          { address: "242.2.0.2", port: 8080, weight: 1 },
        ],
      },
    ]);
    expect([address, stale]).toEqual([WEB, false]);
  });

  test("without a service address the name exists and answers nothing: Pending", () => {
    const birch = new TestMember("birch", 2);
    const catalogue = catalogueOf(...birch.joined(), ...birch.says({ web: exportBody("web", ["242.2.0.1"]) }));
    expect(compiled(catalogue)).toMatchObject({ address: null, table: [], zone: { addresses: [] } });
  });

  test("inside a member its own endpoints are their pod addresses, and may be their own clients", () => {
    const { catalogue } = exported({ amber: ["242.1.3.7"], birch: ["242.2.0.1"] });
    expect(backends(catalogue)).toEqual(["10.244.3.7:8080 1", "242.2.0.1:8080 1"]);
    expect(compiled(catalogue).hairpin).toEqual(["10.244.3.7"]);
    expect(backends(catalogue, { own: "cedar" as never })).toEqual(["242.1.3.7:8080 1", "242.2.0.1:8080 1"]);
  });

  test("every reachable member has an equal share, and within it every endpoint", () => {
    const { catalogue } = exported({ birch: ["242.2.0.1"], cedar: ["242.3.0.1", "242.3.0.2"] });
    expect(backends(catalogue)).toEqual(["242.2.0.1:8080 1", "242.3.0.1:8080 0.5", "242.3.0.2:8080 0.5"]);
  });

  test("a member that cannot be reached does not answer", () => {
    const { catalogue } = exported({ birch: ["242.2.0.1"], cedar: ["242.3.0.1"] });
    const without = compiled(catalogue, { reachable: (cluster) => cluster !== ("birch" as never) });
    expect(without.serving).toEqual(["cedar"]);
    expect(without.imported.clusters).toEqual(["birch", "cedar"]); // properties stay: a lost tunnel changes no import
    expect(without.stale).toBe(false);
  });

  test("the own member is always reachable", () => {
    const { catalogue } = exported({ amber: ["242.1.3.7"], birch: ["242.2.0.1"] });
    expect(compiled(catalogue, { reachable: () => false }).serving).toEqual(["amber"]);
  });

  test("where none can be reached the last known locations stay, marked stale", () => {
    const { catalogue } = exported({ birch: ["242.2.0.1"], cedar: ["242.3.0.1"] });
    const service = compiled(catalogue, { reachable: () => false });
    expect([service.stale, service.serving]).toEqual([true, ["birch", "cedar"]]);
  });

  test("of several, the last that could be reached stay", () => {
    const { catalogue } = exported({ birch: ["242.2.0.1"], cedar: ["242.3.0.1"] });
    const service = compiled(catalogue, { reachable: () => false, last: ["cedar" as never] });
    expect([service.stale, service.serving]).toEqual([true, ["cedar"]]);
  });

  test("an export without endpoints is no stale one: it is refused at once", () => {
    const service = compiled(exported({ birch: [] }).catalogue, { reachable: () => false });
    expect([service.stale, service.table[0]?.backends]).toEqual([false, []]);
  });

  test("a member that left is gone from the service", () => {
    const { catalogue, members } = exported({ birch: ["242.2.0.1"], cedar: ["242.3.0.1"] });
    catalogue.apply(candidatesOf((members.get("birch") as TestMember).leave()));
    expect(backends(catalogue)).toEqual(["242.3.0.1:8080 1"]);
  });

  test("ClientIP keeps a client with its endpoint", () => {
    const { catalogue } = exported({ birch: ["242.2.0.1"] }, { sessionAffinity: "ClientIP" });
    expect(compiled(catalogue).table[0]?.affinity).toBe("client");
  });

  test("a port that only one member has goes to that one alone (KEP-1645)", () => {
    const { catalogue, members } = exported({ birch: ["242.2.0.1"] });
    const cedar = new TestMember("cedar", 3);
    const ports: ExportBody["ports"] = [{ name: "admin", protocol: "TCP", port: 9000 }];
    const body = exportBody("web", [], {
      ports,
      slices: [{ ports, endpoints: [{ address: ip("242.3.0.1") }] }],
    });
    catalogue.apply(candidatesOf(...cedar.joined(), ...cedar.says({ web: body })));
    const table = compiled(catalogue).table.map(({ port, backends: to }) => [port, to.map(({ address }) => address)]);
    expect(table).toEqual([
      [80, ["242.2.0.1"]],
      [9000, ["242.3.0.1"]],
    ]);
    expect(members.size).toBe(1);
  });
});

describe("compileService() of a headless service", () => {
  const headless = (addresses: Readonly<Record<string, readonly string[]>>) =>
    exported(addresses, { type: "Headless" }).catalogue;

  test("answers the endpoints by name and cluster, with the ports that they listen on", () => {
    const { zone, table, address } = compiled(headless({ amber: ["242.1.0.1"], birch: ["242.2.0.1"] }));
    expect([address, table, zone.addresses]).toEqual([null, [], []]);
    const ports = [{ name: "http", protocol: "TCP", port: 8080 }];
    expect(zone.endpoints).toEqual([
      { cluster: "amber", hostname: "web-0", addresses: ["10.244.0.1"], ports },
      { cluster: "birch", hostname: "web-0", addresses: ["242.2.0.1"], ports },
    ]);
  });

  test("one hostname with two addresses is one endpoint", () => {
    const body = exportBody("web", ["242.2.0.1", "242.2.0.2"], { type: "Headless" });
    const endpoints = body.slices[0]?.endpoints.map(({ address }) => ({ address, hostname: "one" })) ?? [];
    const birch = new TestMember("birch", 2);
    const slices = [{ ports: body.slices[0]?.ports ?? [], endpoints }];
    const catalogue = catalogueOf(...birch.joined(), ...birch.says({ web: { ...body, slices } }));
    expect(compiled(catalogue).zone.endpoints.map(({ addresses }) => addresses)).toEqual([["242.2.0.1", "242.2.0.2"]]);
  });
});

test("endpoints of a member that is reached directly are its pods by their own addresses", () => {
  const { catalogue } = exported({ birch: ["242.2.0.1", "242.0.2.9"], cedar: ["242.3.0.1"] });
  const birch = { pods: [{ local: cidr("10.2.0.0/16"), global: cidr("242.2.0.0/16") }], nodes: new Map() };
  const { backends: all } = compiled(catalogue, { direct: new Map([["birch" as ClusterId, birch]]) });
  expect(all.map(({ address }) => address)).toEqual(["10.2.0.1", "242.0.2.9", "242.3.0.1"]);
});

test("servedOf() keeps what withdrawing needs, and one list for all with the same exporters", () => {
  const service = compiled(exported({ amber: ["242.1.3.7"], birch: ["242.2.0.1"] }).catalogue);
  const [one, two] = [servedOf(service), servedOf({ ...service, key: "shop/other" })];
  expect(one).toMatchObject({ key: "shop/web", clusters: ["amber", "birch"], hairpin: ["10.244.3.7"] });
  expect(one.tableKeys).toHaveLength(1);
  expect(two.clusters).toBe(one.clusters);
});
