import type { Namespace, ServiceName } from "#values";
import type { ExportSpec, ImportedSlice, LocalImport, LocalNode, LocalService, LocalSlice } from "./manifest-object.ts";

/** LocalExport is a ServiceExport with the Service and the EndpointSlices of its name. Plain data, never changed:
 *  what changes is replaced. */
export interface LocalExport extends ExportSpec {
  readonly namespace: Namespace;
  readonly name: ServiceName;
  /** null: there is no such Service, and the export is not valid. */
  readonly service: LocalService | null;
  /** In the order of their names. */
  readonly slices: readonly LocalSlice[];
  /** Where the ServiceExport stands: the file's name in the folder, and the line of its document. */
  readonly origin: { readonly file: string; readonly line: number };
}

/** Manifests is everything good that a folder says, by "namespace/name". It is a live view: its maps change with the
 *  folder, though never while a listener runs. Take what you need; the values in them stay as they are. */
export interface Manifests {
  /** Namespaces that exist: by an object of their own, or since any object is in them. */
  readonly namespaces: ReadonlySet<string>;
  readonly exports: ReadonlyMap<string, LocalExport>;
  readonly imports: ReadonlyMap<string, LocalImport>;
  /** By name. Another map when one of them changed. */
  readonly nodes: ReadonlyMap<string, LocalNode>;
  /** Slices that belong to an import, whether or not there is one; in the order of their names. */
  slicesOf(key: string): readonly ImportedSlice[];
  /** Number of objects of kinds that mean nothing here. */
  readonly ignoredKinds: number;
  /** Files that have never been good since the start: what they export is not known. While there is one, the absence
   *  of an export proves nothing. */
  readonly unread: ReadonlySet<string>;
}

/** ManifestChange tells what one file, or a part of a large one, changed. */
export interface ManifestChange {
  /** "namespace/name" of the exports that are new, other or gone. Empty where only something else changed. */
  readonly changed: readonly string[];
  /** The same of imports, a change of their slices included. */
  readonly changedImports: readonly string[];
  readonly manifests: Manifests;
  /** Whether the whole folder has been read once. */
  readonly synced: boolean;
}
