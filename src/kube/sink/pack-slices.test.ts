import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClusterId, NodeName } from "#values";
import { backend, wantedImport } from "./example-import.ts";
import { heldSlice, sliceOf } from "./held.ts";
import type { KubeObject } from "./kube-object.ts";
import { packSlices, type SliceEndpoint } from "./pack-slices.ts";
import { projectSlice } from "./projection.ts";

const DERIVED = "derived-isrlchlhrq";

/** What packing reads back once a slice was written. */
function read(objects: readonly KubeObject[]) {
  return objects.map((object) => {
    const metadata = { ...object.metadata, resourceVersion: "1", uid: "u" };
    const held = heldSlice({ ...object, metadata });
    if (held === undefined) throw new Error("a slice of ours cannot be read");
    return sliceOf(held);
  });
}

function addresses(object: KubeObject): readonly string[] {
  return (object["endpoints"] as readonly SliceEndpoint[]).flatMap((one) => one.addresses);
}

const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => backend(`242.1.${(from + at) >> 8}.${(from + at) & 255}`));

describe("packSlices()", () => {
  test("names, labels and endpoints of a slice", () => {
    expect(packSlices(wantedImport([backend("242.1.0.5")]), [], DERIVED)).toEqual([
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          namespace: "shop",
          name: "imported-isrlchlhrq-birch-1",
          labels: {
            "endpointslice.kubernetes.io/managed-by": "meridian.io",
            "multicluster.kubernetes.io/service-name": "web",
            "multicluster.kubernetes.io/source-cluster": "birch",
            "kubernetes.io/service-name": "derived-isrlchlhrq",
          },
        },
        addressType: "IPv4",
        ports: [{ name: "http", protocol: "TCP", port: 8080 }],
        endpoints: [{ addresses: ["242.1.0.5"], conditions: { ready: true, serving: true, terminating: false } }],
      },
    ]);
  });

  test("without a derived Service they are tied to none", () => {
    const [slice] = packSlices(wantedImport([backend("242.1.0.5")]), [], null);
    expect(slice?.metadata.labels).toMatchObject({ "multicluster.kubernetes.io/service-name": "web" });
    expect(slice?.metadata.labels).not.toHaveProperty("kubernetes.io/service-name");
  });

  test("the endpoints of a headless import have names", () => {
    const db = wantedImport([backend("242.1.0.5", { hostname: "db-0" })], { type: "Headless" });
    const [slice] = packSlices(db, [], null);
    expect(slice?.["endpoints"]).toMatchObject([{ hostname: "db-0" }]);
  });

  test("only the member's own endpoints have a node", () => {
    const node = "node-1" as NodeName;
    const own = backend("10.244.0.5", { cluster: "amber" as ClusterId, node });
    const slices = packSlices(wantedImport([own, backend("242.1.0.5", { node })]), [], DERIVED);
    expect(slices.map((slice) => slice["endpoints"])).toMatchObject([[{ nodeName: "node-1" }], [{}]]);
    expect(JSON.stringify(slices[1])).not.toContain("nodeName");
  });

  test("at most 100 endpoints a slice, one cluster, one set of ports", () => {
    const other = backend("242.2.0.1", { cluster: "cedar" as ClusterId });
    const elsewhere = backend("242.1.9.9", {
      targets: [{ portName: "http", protocol: "TCP", port: 80, target: 9090 }],
    });
    const slices = packSlices(wantedImport([...many(201), other, elsewhere]), [], DERIVED);
    expect(slices.map((slice) => addresses(slice).length)).toEqual([100, 100, 1, 1, 1]);
    expect(new Set(slices.map(({ metadata }) => metadata.name)).size).toBe(5);
  });

  test("the change of one endpoint is the change of one slice, whatever came before", () => {
    const step = fc.record({ remove: fc.nat(999), add: fc.integer({ min: 1000, max: 2000 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 350 }), fc.array(step, { maxLength: 20 }), (count, steps) => {
        let now = many(count);
        let slices = packSlices(wantedImport(now), [], DERIVED);
        for (const { remove, add } of steps) {
          const gone = now[remove % now.length];
          const fresh = many(1, add)[0];
          if (gone === undefined || fresh === undefined || now.some(({ address }) => address === fresh.address))
            continue;
          for (const next of [[...now, fresh], [...now.filter((one) => one !== gone)]]) {
            const packed = packSlices(wantedImport(next), read(slices), DERIVED);
            const texts = new Set(slices.map((slice) => JSON.stringify(slice)));
            const written = packed.filter((slice) => !texts.has(JSON.stringify(slice))).length;
            const deleted = slices.filter(({ metadata }) => !packed.some((one) => one.metadata.name === metadata.name));
            expect(written + deleted.length).toBeLessThanOrEqual(1);
            expect(packed.flatMap(addresses).toSorted()).toEqual(next.map(({ address }) => address).toSorted());
            expect(Math.max(0, ...packed.map((slice) => addresses(slice).length))).toBeLessThanOrEqual(100);
          }
          now = [...now, fresh];
          slices = packSlices(wantedImport(now), read(slices), DERIVED);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a second packing changes nothing", () => {
    const wanted = wantedImport(many(250));
    const slices = packSlices(wanted, [], DERIVED);
    expect(packSlices(wanted, read(slices), DERIVED)).toEqual(slices);
  });

  test("what loses its Service keeps its slices: only their label goes", () => {
    const wanted = wantedImport(many(250));
    const slices = packSlices(wanted, [], DERIVED);
    const untied = packSlices(wanted, read(slices), null);
    const namesOf = (all: readonly KubeObject[]) => all.map(({ metadata }) => metadata.name);
    expect(namesOf(untied)).toEqual(namesOf(slices));
    expect(untied.map((slice) => slice["endpoints"])).toEqual(slices.map((slice) => slice["endpoints"]));
    expect(projectSlice(untied[0])).not.toBe(projectSlice(slices[0]));
  });
});
