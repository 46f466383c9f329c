import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Manifest, manifestFolder, removeManifests, writeManifests } from "./manifests.ts";

const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const SERVICE: Manifest = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "shop" }, spec: {} };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "manifests-"));
});
afterEach(() => rm(root, { recursive: true }));

test("writeManifests() writes documents in order, and leaves no other file", async () => {
  await writeManifests(root, "web.yaml", [NAMESPACE, SERVICE]);
  const documents = parseAllDocuments(await readFile(join(root, "web.yaml"), "utf8"));
  expect(documents.map((document) => document.toJS() as Manifest)).toEqual([NAMESPACE, SERVICE]);
  expect(await readdir(root)).toEqual(["web.yaml"]);
});

test("writeManifests() replaces the file: a reader that has it open keeps the old one", async () => {
  await writeManifests(root, "web.yaml", [NAMESPACE]);
  await writeManifests(root, "web.yaml", [SERVICE]);
  expect(await readFile(join(root, "web.yaml"), "utf8")).not.toContain("Namespace");
});

test("removeManifests() takes the file away", async () => {
  await writeManifests(root, "web.yaml", [NAMESPACE]);
  await removeManifests(root, "web.yaml");
  expect(await readdir(root)).toEqual([]);
});

test("manifestFolder() makes a folder for each cluster, and gives the same one again", async () => {
  const place = { name: "amber-1", pid: 1, run: { id: "x", folder: root } };
  const folder = await manifestFolder(place, "amber");
  expect(await manifestFolder(place, "amber")).toBe(folder);
  expect(await readdir(folder)).toEqual([]);
});
