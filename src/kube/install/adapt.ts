import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { part } from "../sink/projection.ts";
import type { KubeObject } from "./deploy-files.ts";

/** InstallSettings is what differs from one cluster to another. */
export interface InstallSettings {
  readonly namespace: string;
  readonly image: string;
  /** Settings of the gateways, keys as in their configuration: `cluster`, and what else was asked for. */
  readonly gateway: Readonly<Record<string, unknown>>;
}

/** What the manifests have where settings stand. */
const WRITTEN = { namespace: "meridian", gatewayConfig: "meridian-gateway" } as const;
/** On the pods: a configuration that changed is a pod that is made anew. */
const CONFIG_DIGEST = "meridian.io/config-digest";

/** On the namespace: what cleans the nodes when the gateways are gone. */
export const IMAGE = "meridian.io/image";

/** adapt gives the manifests a cluster's own namespace, image and configuration. */
export function adapt(objects: readonly KubeObject[], settings: InstallSettings): readonly KubeObject[] {
  const config = stringify(settings.gateway);
  return objects.map((object) => inNamespace(withSettings(object, settings, config), settings.namespace));
}

function withSettings(object: KubeObject, { image }: InstallSettings, config: string): KubeObject {
  if (object.kind === "ConfigMap" && object.metadata.name === WRITTEN.gatewayConfig) {
    return { ...object, data: { "gateway.yaml": config } };
  }
  if (object.kind === "Namespace")
    return { ...object, metadata: { ...object.metadata, annotations: { [IMAGE]: image } } };
  if (object.kind !== "DaemonSet" && object.kind !== "Deployment") return object;
  const spec = part(object, "spec");
  const template = part(spec, "template");
  const metadata = part(template, "metadata");
  const pod = part(template, "spec");
  const annotations = { ...part(metadata, "annotations"), [CONFIG_DIGEST]: digestOf(config) };
  const images = {
    initContainers: withImage(pod["initContainers"], image),
    containers: withImage(pod["containers"], image),
  };
  return {
    ...object,
    spec: { ...spec, template: { metadata: { ...metadata, annotations }, spec: { ...pod, ...images } } },
  };
}

function withImage(containers: unknown, image: string): unknown {
  return Array.isArray(containers) ? containers.map((container: object) => ({ ...container, image })) : [];
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
