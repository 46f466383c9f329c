import type { Backend, Condition, ImportedService } from "#services";
import type { ClusterId, Ip } from "#values";

/** WantedImport is one service of the clusterset as this cluster is to have it. */
export interface WantedImport {
  readonly imported: ImportedService;
  /** Its service address; null until one is granted, and where it is headless. */
  readonly address: Ip | null;
  /** Those that carry traffic now, by addresses that can be reached from this cluster's pods. */
  readonly backends: readonly Backend[];
  /** Those that end and still serve. */
  readonly draining: readonly Backend[];
  readonly own: ClusterId;
  /** The import's Ready condition. */
  readonly ready: Pick<Condition, "status" | "reason" | "message">;
}
