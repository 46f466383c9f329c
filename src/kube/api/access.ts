/** KubeAccess says where an API server is and as whom it is asked. */
export type KubeAccess =
  /** What the kubelet puts into every pod: $KUBERNETES_SERVICE_HOST, …_PORT and the service account's folder. */
  | { readonly kind: "in-cluster"; readonly host: string; readonly port: string }
  | {
      readonly kind: "kubeconfig";
      readonly file: string;
      /** Null: the file's current context. */
      readonly context: string | null;
    };

/** Where the kubelet mounts a pod's token and the cluster's CA. */
export const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** describeAccess names it for people. */
export function describeAccess(access: KubeAccess): string {
  if (access.kind === "in-cluster") return "the cluster of this pod";
  return access.context === null ? access.file : `${access.file}, context ${access.context}`;
}
