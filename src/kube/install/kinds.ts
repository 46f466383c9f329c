import { pathOf, type Resource } from "../api/resource.ts";
import type { KubeObject } from "./deploy-files.ts";

const CORE = "v1";
const RBAC = "rbac.authorization.k8s.io/v1";

/** Every kind that is installed, and what is looked at on the way. */
const KINDS: readonly Resource[] = [
  { apiVersion: CORE, kind: "Namespace", plural: "namespaces", namespaced: false },
  { apiVersion: CORE, kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true },
  { apiVersion: CORE, kind: "ConfigMap", plural: "configmaps", namespaced: true },
  { apiVersion: CORE, kind: "Secret", plural: "secrets", namespaced: true },
  { apiVersion: CORE, kind: "Service", plural: "services", namespaced: true },
  { apiVersion: CORE, kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims", namespaced: true },
  { apiVersion: CORE, kind: "Node", plural: "nodes", namespaced: false },
  { apiVersion: CORE, kind: "Pod", plural: "pods", namespaced: true },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets", namespaced: true },
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments", namespaced: true },
  { apiVersion: "policy/v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets", namespaced: true },
  { apiVersion: RBAC, kind: "ClusterRole", plural: "clusterroles", namespaced: false },
  { apiVersion: RBAC, kind: "ClusterRoleBinding", plural: "clusterrolebindings", namespaced: false },
  { apiVersion: RBAC, kind: "Role", plural: "roles", namespaced: true },
  { apiVersion: RBAC, kind: "RoleBinding", plural: "rolebindings", namespaced: true },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    namespaced: false,
  },
];

/** Name is where an object is. */
export interface Name {
  readonly kind: string;
  /** Empty where the kind has none. */
  readonly namespace: string;
  readonly name: string;
}

/** nameOf says which object a manifest means. */
export function nameOf({ kind, metadata }: KubeObject): Name {
  return { kind, namespace: metadata.namespace ?? "", name: metadata.name };
}

/** describe names an object for people: `DaemonSet meridian/meridian-gateway`. */
export function describe({ kind, namespace, name }: Name): string {
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** pathTo is the path of an object, or without a name of all of its kind. */
export function pathTo({ kind, namespace, name }: Name): string {
  return pathOf(resourceOf(kind), namespace, name);
}

function resourceOf(kind: string): Resource {
  const found = KINDS.find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(`nothing of the kind ${kind} is installed`);
  return found;
}
