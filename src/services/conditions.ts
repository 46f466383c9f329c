import type { Ip } from "#values";
import type { ImportedService } from "./imported-service.ts";

/** Condition is one of a ServiceExport's status conditions (mcs-api v1beta1). `reason` holds several joined by commas
 *  without spaces, since its pattern allows no space. */
export interface Condition {
  readonly type: "Valid" | "Ready" | "Conflict";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** ExportState is what one member knows of an export of its own, beside the merge. */
export interface ExportState {
  /** What stands behind the ServiceExport here: no Service of that name, one of type ExternalName, or one to export. */
  readonly service: "missing" | "external-name" | "valid";
  /** Whether the broker has taken the export's record. */
  readonly published: boolean;
  /** The service address; null until one is granted. Headless services have none. */
  readonly address: Ip | null;
  /** Ready endpoints that were published. */
  readonly endpoints: number;
  /** Ready endpoints that could not be, since they are neither in a pod network nor on a node. */
  readonly leftOut: number;
}

/** conditionsOf gives the conditions Valid, Ready and Conflict of a ServiceExport, in this order. `merged` is the
 *  service that all exports of the name make; null while the catalogue has none. */
export function conditionsOf(merged: ImportedService | null, state: ExportState): readonly Condition[] {
  return [validOf(state), readyOf(merged, state), conflictOf(merged, state)];
}

function validOf({ service }: ExportState): Condition {
  switch (service) {
    case "missing":
      return condition("Valid", "False", "NoService", "There is no Service of this name in this cluster.");
    case "external-name":
      return condition("Valid", "False", "InvalidServiceType", "A Service of type ExternalName cannot be exported.");
    case "valid":
      return condition("Valid", "True", "Valid", "The Service can be exported.");
  }
}

function readyOf(merged: ImportedService | null, state: ExportState): Condition {
  const { service, published, address, endpoints, leftOut } = state;
  if (service !== "valid") return condition("Ready", "False", "Failed", "The export is not valid.");
  if (endpoints === 0 && leftOut > 0) {
    const message = `None of ${leftOut} ready endpoints is in a pod network or on a node of this cluster.`;
    return condition("Ready", "False", "Failed", message);
  }
  if (!published || merged === null) {
    return condition("Ready", "Unknown", "Pending", "The export has not reached the broker yet.");
  }
  if (merged.type === "ClusterSetIP" && address === null) {
    return condition("Ready", "False", "Pending", "No service address has been granted yet.");
  }
  return condition("Ready", "True", "Exported", "The export is in the catalogue of the clusterset.");
}

/** conflictOf raises conflicts on every export of the service, the winner's too (KEP-1645, "Conflict Resolution
 *  Policy"); an export that is not valid takes no part in the merge. */
function conflictOf(merged: ImportedService | null, { service }: ExportState): Condition {
  if (service !== "valid" || merged === null || merged.conflicts.length === 0) {
    return condition("Conflict", "False", "NoConflicts", "All exports of this service agree.");
  }
  const reasons = merged.conflicts.map(({ reason }) => reason).join(",");
  return condition("Conflict", "True", reasons, merged.conflicts.map(({ message }) => message).join(" "));
}

function condition(type: Condition["type"], status: Condition["status"], reason: string, message: string): Condition {
  return { type, status, reason, message };
}
