import type { KubeObject } from "./deploy-files.ts";

/** On what may have been there before, and was not: CRDs and the namespace. Only these go when we do. */
const OURS = { "app.kubernetes.io/managed-by": "meridian-install" } as const;

/** asOurs marks an object as made by an installation. */
export function asOurs(object: KubeObject): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...OURS } } };
}

/** isOurs reports whether an object was made by an installation. */
export function isOurs({ metadata }: KubeObject): boolean {
  return Object.entries(OURS).every(([label, value]) => metadata.labels?.[label] === value);
}
