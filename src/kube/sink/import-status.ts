import { RESOURCES } from "../api/resource.ts";
import type { HeldImport } from "./held.ts";
import { IMPORT_CONDITIONS } from "./held.ts";
import type { KubeObject } from "./kube-object.ts";
import { projectStatus } from "./projection.ts";
import { stamped } from "./stamped.ts";
import type { WantedImport } from "./wanted-import.ts";

interface StatusAsk {
  readonly held: HeldImport;
  readonly now: number;
  readonly pending: boolean;
  readonly tellsSlices: boolean;
}

const PENDING: WantedImport["ready"] = {
  status: "False",
  reason: "Pending",
  message: "No service address has been granted yet.",
};

/** importStatus is the status that a ServiceImport is to have: the clusters that it is derived from (I5) and whether it
 *  can be used. Null: it has it. `pending` says that it waits for its address, `tellsSlices` whether the CRD knows
 *  endpointSliceObjects (mcs-api 0.5.1). */
export function importStatus(
  { imported, ready }: WantedImport,
  { held, now, pending, tellsSlices }: StatusAsk,
): KubeObject | null {
  const { apiVersion, kind } = RESOURCES.serviceImports;
  const { namespace, name, clusters } = imported;
  const conditions = stamped([{ type: "Ready", ...(pending ? PENDING : ready) }], held.conditions, now);
  const slices = tellsSlices ? { endpointSliceObjects: "Present" } : {};
  const object = {
    apiVersion,
    kind,
    metadata: { namespace, name },
    status: { clusters: clusters.map((cluster) => ({ cluster })), conditions, ...slices },
  };
  return projectStatus(object, IMPORT_CONDITIONS) === held.status ? null : object;
}
