import type { HeldSliceObject } from "./held.ts";

/** SliceTable is our slices by the import that they belong to. */
export class SliceTable {
  readonly #byImport = new Map<string, Map<string, HeldSliceObject>>();

  /** move takes a slice's change; it gives the imports that it concerns. */
  move(key: string, before: HeldSliceObject | undefined, after: HeldSliceObject | undefined): ReadonlySet<string> {
    const touched = new Set<string>();
    if (before?.ours === true) {
      const slices = this.#byImport.get(importOf(before));
      slices?.delete(key);
      if (slices?.size === 0) this.#byImport.delete(importOf(before));
      touched.add(importOf(before));
    }
    if (after?.ours === true) {
      const slices = this.#byImport.get(importOf(after)) ?? new Map<string, HeldSliceObject>();
      this.#byImport.set(importOf(after), slices.set(key, after));
      touched.add(importOf(after));
    }
    return touched;
  }

  /** of is an import's slices, in no order that matters. */
  of(key: string): readonly HeldSliceObject[] {
    return [...(this.#byImport.get(key)?.values() ?? [])];
  }

  keys(): Iterable<string> {
    return this.#byImport.keys();
  }
}

function importOf({ meta, imported }: HeldSliceObject): string {
  return `${meta.namespace}/${imported}`;
}
