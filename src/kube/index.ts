export type {
  ExportSpec,
  ImportedSlice,
  IpFamily,
  LocalEndpoint,
  LocalImport,
  LocalService,
  LocalServicePort,
  LocalSlice,
  LocalSlicePort,
} from "./manifest-object.ts";
export { createManifestSource, type ManifestSource, type ManifestSourceOptions } from "./manifest-source.ts";
export type { LocalExport, ManifestChange, Manifests } from "./manifests.ts";
