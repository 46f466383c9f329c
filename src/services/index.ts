export { type Condition, conditionsOf, type ExportState } from "./conditions.ts";
export { endpointHostname } from "./endpoint-hostname.ts";
export type { ExportedService, ExportPort, ExportSlice } from "./exported-service.ts";
export {
  type Backend,
  CONFLICT_REASONS,
  type Conflict,
  type ConflictReason,
  type ExportOf,
  type ImportedService,
  type Target,
} from "./imported-service.ts";
export { mergeExports } from "./merge-exports.ts";
