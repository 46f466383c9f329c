import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Place } from "./place.ts";

/** Manifest is one Kubernetes object as it stands in a file. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** manifestFolder is the folder that the gateways of a cluster read; it exists from the first call on. */
export async function manifestFolder(place: Place, cluster: string): Promise<string> {
  const folder = join(place.run.folder, "manifests", cluster);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** writeManifests replaces a file as a whole: written beside it, then renamed, so that no reader sees half of it. */
export async function writeManifests(folder: string, file: string, manifests: readonly Manifest[]): Promise<void> {
  const temporary = join(folder, `.${file}.new`); // no reader takes names that do not end in .yaml
  await writeFile(temporary, manifests.map((manifest) => stringify(manifest)).join("---\n"));
  await rename(temporary, join(folder, file));
}

/** removeManifests takes a file away: its objects are deleted. */
export async function removeManifests(folder: string, file: string): Promise<void> {
  await rm(join(folder, file));
}
