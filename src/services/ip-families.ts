import type { ExportOf, ImportedService } from "./imported-service.ts";

/** mergeFamilies is what all exports have in common, in the oldest's order, for then every backend can be reached by
 *  every address of the import. KEP-1645 leaves the derivation open. Where they have nothing in common it is the
 *  oldest's, and `split` says that the others' backends are out of reach: the only case of an IPFamilyConflict. */
export function mergeFamilies(oldestFirst: readonly ExportOf[]): {
  readonly families: ImportedService["ipFamilies"];
  readonly split: boolean;
} {
  const [oldest, ...others] = oldestFirst.map(({ body }) => body.ipFamilies).filter((families) => families.length > 0);
  if (oldest === undefined) return { families: ["IPv4"], split: false };
  const unique = oldest.filter((family, at) => oldest.indexOf(family) === at);
  const shared = unique.filter((family) => others.every((families) => families.includes(family)));
  return shared.length > 0 ? { families: shared, split: false } : { families: unique, split: true };
}
