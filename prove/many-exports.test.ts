import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { clustersetName, serviceName, writeManyExports } from "./many-exports.ts";

interface Found {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly clusterIP: string };
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "many-exports-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function objects(file: string): Promise<readonly Found[]> {
  const text = await readFile(join(folder, file), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as Found);
}

describe("writeManyExports()", () => {
  test("writes three objects per service, in as many files as asked for", async () => {
    await writeManyExports({ folder, services: 10, files: 4, pods: ["10.244.1.10"], targetPort: 8080 });
    const files = (await readdir(folder)).toSorted();
    expect(files).toEqual(["part-000.yaml", "part-001.yaml", "part-002.yaml", "part-003.yaml"]);
    const all = (await Promise.all(files.map(objects))).flat();
    expect(all.filter(({ kind }) => kind === "ServiceExport").map(({ metadata }) => metadata.name)).toEqual(
      Array.from({ length: 10 }, (_, i) => serviceName(i)),
    );
    expect(all.length).toBe(30);
  });

  test("gives every service a ClusterIP of its own and the pods in turn", async () => {
    await writeManyExports({ folder, services: 600, files: 1, pods: ["10.244.1.10", "10.244.1.11"], targetPort: 8080 });
    const all = await objects("part-000.yaml");
    const addresses = all.flatMap(({ spec }) => spec?.clusterIP ?? []);
    expect(new Set(addresses).size).toBe(600);
    const used = all.flatMap(({ endpoints }) => endpoints?.[0]?.addresses ?? []);
    expect(used.slice(0, 3)).toEqual(["10.244.1.10", "10.244.1.11", "10.244.1.10"]);
  });
});

test("clustersetName() is the name of the same service for all members", () => {
  expect(clustersetName(42)).toBe("s00042.load.svc.clusterset.local");
});
