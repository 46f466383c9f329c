import { RESOURCES } from "./api/resource.ts";
import { part } from "./sink/projection.ts";

/** Ways in which other programs have a Service exported by a mark on it, rather than by a ServiceExport.
 *  cilium: annotation `service.cilium.io/global` and not `service.cilium.io/shared: "false"` (Cilium, "Global Services");
 *  linkerd: label `mirror.linkerd.io/exported` (Linkerd, "Multi-cluster communication"). */
export const EXPORT_MARKERS = ["cilium", "linkerd"] as const;
export type ExportMarker = (typeof EXPORT_MARKERS)[number];

const MARKED: Readonly<Record<ExportMarker, (service: unknown) => boolean>> = {
  cilium: (service) => {
    const annotations = part(service, "metadata", "annotations");
    const { "service.cilium.io/global": global, "service.cilium.io/shared": isShared = "true" } = annotations;
    return global === "true" && isShared === "true";
  },
  linkerd: (service) => {
    const exported = part(service, "metadata", "labels")["mirror.linkerd.io/exported"];
    return exported === "true" || exported === "remote-discovery";
  },
};

/** markedExport is the ServiceExport that a mark on a Service stands for; null where it has none that is wanted. Its age
 *  is the Service's. */
export function markedExport(service: unknown, markers: readonly ExportMarker[]): unknown {
  if (!markers.some((marker) => MARKED[marker](service))) return null;
  const { namespace, name, creationTimestamp } = part(service, "metadata");
  const { apiVersion, kind } = RESOURCES.serviceExports;
  return { apiVersion, kind, metadata: { namespace, name, creationTimestamp } };
}
