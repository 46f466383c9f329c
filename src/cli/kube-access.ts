import { type KubeAccess, loadLive } from "#kube";
import { err, ok, parseNamespace, type Result } from "#values";
import { file } from "./parsers.ts";
import type { Reader } from "./reader.ts";
import type { Setting } from "./setting.ts";

export const KUBE_SETTINGS: readonly Setting[] = [
  { flag: "kubeconfig", value: "FILE", help: "read a live cluster; in a pod without --manifests: that pod's own" },
  { flag: "context", value: "NAME", help: "context of --kubeconfig; default: its current one" },
];

/** Where this program's own objects are. */
export const NAMESPACE_SETTING: Setting = {
  flag: "namespace",
  value: "NAME",
  help: "namespace of what it shares with its other parts in the cluster",
  fallback: "meridian",
};

/** readNamespace reads it. */
export function readNamespace(reader: Reader): string {
  return reader.one("namespace", parseNamespace, "meridian") ?? "";
}

/** readKubeAccess says which live cluster is meant; null where a folder of manifests is, or nothing. In a pod its own
 *  cluster is meant unless something else is said, as client-go has it. */
export function readKubeAccess(reader: Reader, env: Readonly<Record<string, string | undefined>>): KubeAccess | null {
  const config = reader.one("kubeconfig", file);
  const context = reader.one("context", contextName);
  if (config !== null && reader.has("manifests"))
    reader.fault("kubeconfig", "and --manifests are both given: give one");
  if (config !== null) return { kind: "kubeconfig", file: config, context };
  if (context !== null) reader.fault("context", "means nothing without --kubeconfig FILE");
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  if (host === "" || reader.has("manifests") || reader.has("kubeconfig")) return null;
  return { kind: "in-cluster", host, port: env["KUBERNETES_SERVICE_PORT"] ?? "443" };
}

/** needAdmin says which live cluster an operator means, by --kubeconfig alone. */
export function needAdmin(reader: Reader): KubeAccess | null {
  if (reader.missing("kubeconfig"))
    reader.faults.push("--kubeconfig is missing: give the file of somebody who administers the cluster");
  return readKubeAccess(reader, {});
}

/** checkKubeAccess reads the kubeconfig; what is wrong with it is a fault of the setting. */
export async function checkKubeAccess(reader: Reader, access: KubeAccess | null): Promise<void> {
  if (access?.kind !== "kubeconfig") return;
  const { kubeconfigFault } = await loadLive();
  const fault = kubeconfigFault(access);
  if (fault !== null) reader.fault(reader.has("context") ? "context" : "kubeconfig", fault);
}

function contextName(text: string): Result<string> {
  return text === "" ? err("must not be empty") : ok(text);
}
