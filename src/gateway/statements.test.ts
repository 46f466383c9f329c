import { describe, expect, test } from "vitest";
import type { Catalogue } from "#wire";
import { placeOf } from "./compile-network.ts";
import { exportKey, type StatementView, statementOf, translationOf } from "./statements.ts";
import { catalogueOf, exportBody, GW, grant, ip, TestMember } from "./testbed.ts";
import { localExport, manifestsOf } from "./testbed-manifests.ts";

const amber = new TestMember("amber", 1);
const WEB = "export/amber/shop/web";

function view(
  change: Partial<StatementView> = {},
  catalogue: Catalogue = catalogueOf(...amber.joined()),
): StatementView {
  const translation = translationOf(placeOf(catalogue, amber.cluster, GW), ip("172.31.0.11"), []);
  const manifests = manifestsOf([localExport("web")]);
  return { cluster: amber.cluster, catalogue, manifests, translation, now: 4711, ...change };
}

const bodyOf = (statement: ReturnType<typeof statementOf>) => statement?.body as Record<string, unknown> | null;

describe("statementOf()", () => {
  test("is what an export of the manifests says, by global addresses", () => {
    expect(bodyOf(statementOf(view(), WEB))).toMatchObject({
      name: "web",
      createdAt: 4711,
      slices: [{ endpoints: [{ address: "242.1.1.10" }] }],
    });
  });

  test("keeps the age at which a file's export was first signed", () => {
    const known = catalogueOf(...amber.joined(), ...amber.says({ web: exportBody("web", [], { createdAt: 99 }) }));
    expect(bodyOf(statementOf(view({}, known), WEB))?.["createdAt"]).toBe(99);
  });

  test("takes back what is in the manifests no more", () => {
    expect(statementOf(view({ manifests: manifestsOf([]) }), WEB)).toEqual({ key: WEB, body: null });
  });

  test("keeps what is said while a file could not be read: then absence proves nothing", () => {
    expect(statementOf(view({ manifests: manifestsOf([], ["broken.yaml"]) }), WEB)).toBeUndefined();
  });

  test.each([{ service: null }, { type: "ExternalName" as const }])(
    "takes back what is no export any more: %j",
    (change) => {
      const manifests = manifestsOf([localExport("web", change)]);
      expect(statementOf(view({ manifests }), WEB)).toEqual({ key: WEB, body: null });
    },
  );

  test("numbers the gateways of the member by their index", () => {
    const catalogue = catalogueOf(
      ...amber.joined(),
      grant({ kind: "gateway", ...amber.who, name: "b" as never, index: 2 }),
    );
    expect(statementOf(view({}, catalogue), "nodes/amber")?.body).toEqual({
      nodes: [
        { name: "gw", address: "242.0.1.1" },
        { name: "b", address: "242.0.1.3" },
      ],
    });
  });

  test("numbers the cluster's other nodes, and leaves those where they were that are not known to be gone", () => {
    const nodes = new Map([
      ["gw", { address: ip("172.31.0.11"), gateway: true }],
      ["plain", { address: ip("172.31.0.12"), gateway: false }],
    ]);
    const first = view({ manifests: { ...manifestsOf([]), nodes } });
    const said = bodyOf(statementOf(first, "nodes/amber"));
    expect(said?.["nodes"]).toEqual([
      { name: "gw", address: "242.0.1.1" },
      { name: "plain", address: "242.0.1.9" },
    ]);
    const before = catalogueOf(...amber.joined());
    const member = before.members.get(amber.cluster);
    if (member !== undefined) member.nodes = said as never;
    expect(bodyOf(statementOf(view({ manifests: manifestsOf([], ["broken.yaml"]) }, before), "nodes/amber"))).toEqual(
      said,
    );
    const gone = bodyOf(statementOf(view({ manifests: manifestsOf([]) }, before), "nodes/amber"));
    expect(gone?.["nodes"]).toEqual([{ name: "gw", address: "242.0.1.1" }]);
  });

  test("has no nodes to number before there is a prefix", () => {
    expect(statementOf(view({}, catalogueOf()), "nodes/amber")?.body).toEqual({ nodes: [] });
  });

  test.each(["gateway/amber/gw", "head/amber", "nonsense"])("has nothing to say of %s", (key) => {
    expect(statementOf(view(), key)).toBeUndefined();
  });
});

describe("translationOf()", () => {
  test("knows pods and this node, once the prefixes are granted", () => {
    const place = placeOf(catalogueOf(...amber.joined()), amber.cluster, GW);
    expect(translationOf(place, ip("172.31.0.11"), [])).toEqual({
      pods: [{ local: "10.244.0.0/16", global: "242.1.0.0/16" }],
      nodes: new Map([["172.31.0.11", "242.0.1.1"]]),
    });
    const other = { local: ip("172.31.0.12"), global: ip("242.0.1.9") };
    expect(translationOf(place, ip("172.31.0.11"), [other]).nodes.get(other.local)).toBe(other.global);
    expect(translationOf(place, null, []).nodes.size).toBe(0);
    expect(translationOf(undefined, ip("172.31.0.11"), [])).toEqual({ pods: [], nodes: new Map() });
  });
});

test("exportKey() names the record of an export", () => {
  expect(exportKey(amber.cluster, "shop/web")).toBe(WEB);
});
