import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { part } from "../sink/projection.ts";
import type { KubeObject } from "./deploy-files.ts";

/** InstallSettings is what differs from one cluster to another. */
export interface InstallSettings {
  readonly namespace: string;
  /** Empty where nothing that is adapted runs it. */
  readonly image: string;
  /** Settings of the gateways, keys as in their configuration: `cluster`, and what else was asked for. */
  readonly gateway: Readonly<Record<string, unknown>>;
}

/** The ConfigMap with the configuration of the gateways. */
export const GATEWAY_CONFIG = "meridian-gateway";

/** What the manifests have where settings stand. */
const WRITTEN = { namespace: "meridian", gatewayConfig: GATEWAY_CONFIG } as const;
/** On the pods: a configuration that changed is a pod that is made anew. */
export const CONFIG_DIGEST = "meridian.io/config-digest";

/** On the gateways' configuration: what cleans the nodes when they are gone. */
export const IMAGE = "meridian.io/image";

/** adapt gives the manifests a cluster's own namespace, image and configuration. */
export function adapt(objects: readonly KubeObject[], settings: InstallSettings): readonly KubeObject[] {
  const config = stringify(settings.gateway);
  return objects.map((object) => inNamespace(withSettings(object, settings, config), settings.namespace));
}

function withSettings(object: KubeObject, { image }: InstallSettings, config: string): KubeObject {
  if (object.kind === "ConfigMap" && object.metadata.name === WRITTEN.gatewayConfig) {
    const metadata = { ...object.metadata, annotations: { [IMAGE]: image } };
    return { ...object, metadata, data: { "gateway.yaml": config } };
  }
  if (object.kind !== "DaemonSet" && object.kind !== "Deployment") return object;
  const spec = part(object, "spec");
  const template = part(spec, "template");
  const metadata = part(template, "metadata");
  const pod = part(template, "spec");
  const digest = hasConfig(pod) ? { [CONFIG_DIGEST]: digestOf(config) } : {};
  const annotations = { ...part(metadata, "annotations"), ...digest };
  const images = { ...withImage(pod, "initContainers", image), ...withImage(pod, "containers", image) };
  return {
    ...object,
    spec: { ...spec, template: { metadata: { ...metadata, annotations }, spec: { ...pod, ...images } } },
  };
}

function hasConfig(pod: Readonly<Record<string, unknown>>): boolean {
  const volumes = pod["volumes"];
  return Array.isArray(volumes) && volumes.some((volume: object) => "configMap" in volume);
}

function withImage(pod: Readonly<Record<string, unknown>>, field: string, image: string): object {
  const containers = pod[field];
  return Array.isArray(containers) ? { [field]: containers.map((one: object) => ({ ...one, image })) } : {};
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** inNamespace moves what is written for our namespace; what is in kube-system stays there. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const { metadata, kind } = object;
  const subjects = object["subjects"];
  const moved = (name: unknown): unknown => (name === WRITTEN.namespace ? namespace : name);
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(kind === "Namespace" ? { name: namespace } : {}),
      ...(metadata.namespace === WRITTEN.namespace ? { namespace } : {}),
    },
    ...(Array.isArray(subjects)
      ? { subjects: subjects.map((who: object) => ({ ...who, namespace: moved(part(who)["namespace"]) })) }
      : {}),
  };
}
