import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManifestIndex } from "./manifest-index.ts";
import { readContent } from "./read-document.ts";

const meta = (name: string, more: object = {}) => ({ name, namespace: "shop", ...more });
const service = (name: string, port = 80) =>
  JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: meta(name), spec: { ports: [{ port }] } });
const anExport = (name: string) =>
  JSON.stringify({ apiVersion: "multicluster.x-k8s.io/v1beta1", kind: "ServiceExport", metadata: meta(name) });
const slice = (name: string, of: string, address = "10.1.0.1") =>
  JSON.stringify({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: meta(name, { labels: { "kubernetes.io/service-name": of } }),
    addressType: "IPv4",
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: [address] }],
  });
const namespace = (name: string) => JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

/** write puts a file of these objects in force and gives the exports that changed. */
function write(index: ManifestIndex, file: string, ...objects: string[]): readonly string[] {
  const read = readContent(file, objects.join("\n---\n"));
  expect(read.faults).toEqual([]);
  for (const _ of index.replace(file, [read.objects], read));
  return index.flush(Number.POSITIVE_INFINITY).changed;
}

function remove(index: ManifestIndex, file: string): readonly string[] {
  for (const _ of index.remove(file));
  return index.flush(Number.POSITIVE_INFINITY).changed;
}

describe("ManifestIndex joins", () => {
  test("an export with the Service and the slices of its name, from several files", () => {
    const index = new ManifestIndex();
    expect(write(index, "a.yaml", anExport("web"))).toEqual(["shop/web"]);
    expect(index.manifests.exports.get("shop/web")).toMatchObject({ service: null, slices: [] });
    expect(write(index, "b.yaml", service("web"))).toEqual(["shop/web"]);
    expect(write(index, "c.yaml", slice("web-2", "web", "10.1.0.2"), slice("web-1", "web"))).toEqual(["shop/web"]);
    expect(index.manifests.exports.get("shop/web")).toMatchObject({
      service: { ports: [{ port: 80 }] },
      slices: [{ endpoints: [{ addresses: ["10.1.0.1"] }] }, { endpoints: [{ addresses: ["10.1.0.2"] }] }],
      origin: { file: "a.yaml", line: 1 },
    });
  });

  test("nothing for a Service that is not exported", () => {
    const index = new ManifestIndex();
    expect(write(index, "a.yaml", service("web"), slice("web-1", "web"))).toEqual([]);
    expect(index.manifests.exports.size).toBe(0);
  });

  test("a slice with another Service when its label changes", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", anExport("web"), anExport("api"));
    write(index, "b.yaml", slice("x", "web"));
    expect(write(index, "b.yaml", slice("x", "api"))).toEqual(["shop/web", "shop/api"]);
    expect(index.manifests.exports.get("shop/web")?.slices).toEqual([]);
    expect(index.manifests.exports.get("shop/api")?.slices).toHaveLength(1);
  });
});

describe("ManifestIndex names as changed", () => {
  const many = ["a", "b", "c"].flatMap((name) => [service(name), anExport(name), slice(`${name}-1`, name)]);

  test("exactly the exports that did", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", ...many);
    const before = index.manifests.exports.get("shop/a");
    expect(write(index, "a.yaml", ...many.with(3, service("b", 81)))).toEqual(["shop/b"]);
    expect(index.manifests.exports.get("shop/a")).toBe(before);
  });

  test("nothing when a file is written again, or its objects in another order", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", ...many);
    expect(write(index, "a.yaml", ...many)).toEqual([]);
    expect(write(index, "a.yaml", ...many.toReversed())).toEqual([]);
  });

  test("nothing when an export only moved, though its origin is the new one", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", anExport("web"));
    expect(write(index, "a.yaml", namespace("x"), anExport("web"))).toEqual([]);
    expect(index.manifests.exports.get("shop/web")?.origin.line).toBe(3);
  });

  test("exports that went, with their file or out of it", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", anExport("web"), anExport("api"));
    expect(write(index, "a.yaml", anExport("web"))).toEqual(["shop/api"]);
    expect(remove(index, "a.yaml")).toEqual(["shop/web"]);
    expect(index.manifests.exports.size).toBe(0);
  });

  test("at most as many at a time as it is asked for", () => {
    const index = new ManifestIndex();
    const read = readContent("a.yaml", ["a", "b", "c"].map(anExport).join("\n---\n"));
    for (const _ of index.replace("a.yaml", [read.objects], read));
    expect(index.flush(2)).toEqual({ changed: ["shop/a", "shop/b"], changedImports: [], more: true });
    expect(index.flush(2)).toEqual({ changed: ["shop/c"], changedImports: [], more: false });
  });
});

describe("ManifestIndex knows namespaces", () => {
  test("by an object of their own, by any object in them, and by objects of other kinds", () => {
    const index = new ManifestIndex();
    const other = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "x", namespace: "jobs" },
    });
    write(index, "a.yaml", namespace("empty"), service("web"), other);
    expect([...index.manifests.namespaces].sort()).toEqual(["empty", "jobs", "shop"]);
    expect(index.manifests.ignoredKinds).toBe(1);
  });

  test("while one file has something in them", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", service("web"));
    write(index, "b.yaml", anExport("web"));
    remove(index, "a.yaml");
    expect([...index.manifests.namespaces]).toEqual(["shop"]);
    const told = index.otherChanges;
    remove(index, "b.yaml");
    expect([...index.manifests.namespaces]).toEqual([]);
    expect(index.otherChanges).toBeGreaterThan(told);
  });
});

describe("ManifestIndex tells duplicates", () => {
  test("between files, the first by name in force", () => {
    const index = new ManifestIndex();
    write(index, "b.yaml", service("web", 81), anExport("web"));
    expect(write(index, "a.yaml", service("web", 80))).toEqual(["shop/web"]);
    expect(index.manifests.exports.get("shop/web")?.service?.ports[0]?.port).toBe(80);
    expect([...index.duplicates()]).toEqual([
      ["b.yaml", ["b.yaml:1: Service shop/web is already defined in a.yaml:1"]],
    ]);
    remove(index, "a.yaml");
    expect(index.duplicates().size).toBe(0);
    expect(index.manifests.exports.get("shop/web")?.service?.ports[0]?.port).toBe(81);
  });

  test("within a file, the first in force", () => {
    const index = new ManifestIndex();
    write(index, "a.yaml", anExport("web"), service("web", 80), service("web", 81));
    expect(index.manifests.exports.get("shop/web")?.service?.ports[0]?.port).toBe(80);
    expect(index.duplicates().get("a.yaml")).toEqual(["a.yaml:5: Service shop/web is already defined in line 3"]);
  });
});

test("ManifestIndex keeps note of files that were never good, until they are", () => {
  const index = new ManifestIndex();
  index.markUnread("a.yaml");
  expect([...index.manifests.unread]).toEqual(["a.yaml"]);
  write(index, "a.yaml", service("web"));
  index.markUnread("a.yaml");
  expect([...index.manifests.unread]).toEqual([]);
});

test("ManifestIndex holds imports, and counts their changes apart from those of exports", () => {
  const index = new ManifestIndex();
  const one = {
    apiVersion: "multicluster.x-k8s.io/v1beta1",
    kind: "ServiceImport",
    metadata: meta("web"),
    spec: { type: "Headless" },
  };
  expect(write(index, "a.yaml", JSON.stringify(one))).toEqual([]);
  expect(index.manifests.imports.get("shop/web")).toMatchObject({ type: "Headless" });
  expect(index.otherChanges).toBeGreaterThan(0);
  remove(index, "a.yaml");
  expect(index.manifests.imports.size).toBe(0);
});

test("ManifestIndex ends with the same whatever the way to a folder's content", () => {
  const names = fc.constantFrom("a", "b");
  const object = fc.oneof(
    names.map((name) => anExport(name)),
    fc.tuple(names, fc.integer({ min: 1, max: 2 })).map(([name, port]) => service(name, port)),
    fc.tuple(names, names).map(([name, of]) => slice(name, of)),
    names.map(namespace),
  );
  const step = fc.tuple(fc.constantFrom("1.yaml", "2.yaml"), fc.array(object, { maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const walked = new ManifestIndex();
      for (const [file, objects] of steps) write(walked, file, ...objects);
      const direct = new ManifestIndex();
      for (const [file, objects] of new Map(steps)) write(direct, file, ...objects);
      const sorted = (map: ReadonlyMap<string, unknown>) =>
        Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
      expect(sorted(walked.manifests.exports)).toEqual(sorted(direct.manifests.exports));
      expect([...walked.manifests.namespaces].sort()).toEqual([...direct.manifests.namespaces].sort());
      expect(sorted(walked.duplicates())).toEqual(sorted(direct.duplicates()));
    }),
  );
});

test("ManifestIndex shares what equal Services have in common", () => {
  const index = new ManifestIndex();
  write(index, "a.yaml", service("a"), anExport("a"), service("b"), anExport("b"));
  const [a, b] = [...index.manifests.exports.values()];
  expect(a?.service).toBe(b?.service);
});
