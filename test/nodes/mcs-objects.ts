import { IMAGES } from "#lab";

/** Objects of the specifications of mcs-spec.ts, each in a namespace of its own. */

/** The one port that everything uses, TCP and UDP. */
export const PORT = 42;

const AFFINITY = "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}";
const DISTRIBUTION = "trafficDistribution: PreferClose";

export interface HelloChange {
  readonly headless?: boolean;
  readonly externalName?: boolean;
  /** False: each connection is free to go anywhere. */
  readonly affinity?: boolean;
  /** Ports of the Service, as YAML; TCP and UDP `PORT` unless told. */
  readonly ports?: string;
}

/** renderRoom is a namespace with a pod that asks: by curl and busybox in its first container, and in its second by
 *  datagrams, when it is asked to. */
export function renderRoom(namespace: string): string {
  return `apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: Pod
metadata: {name: request, namespace: ${namespace}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: request, image: "${IMAGES.net}", imagePullPolicy: Never}
  - {name: dial, image: "${IMAGES.agnhost}", imagePullPolicy: Never, args: [netexec, "--http-port=8080"]}
`;
}

/** renderHello is the Service `hello`: its pods tell their names, over HTTP and by datagrams. */
export function renderHello(namespace: string, change: HelloChange = {}): string {
  const own = `[{name: tcp, port: ${PORT}, protocol: TCP}, {name: udp, port: ${PORT}, protocol: UDP}]`;
  const ports = `selector: {app: hello}, ports: ${change.ports ?? own}`;
  const kind = change.headless === true ? "clusterIP: None, " : "";
  const spec =
    change.externalName === true
      ? "type: ExternalName, externalName: hello.example.com"
      : `${kind}${ports}${change.affinity === false ? "" : `, ${AFFINITY}, ${DISTRIBUTION}`}`;
  return `apiVersion: v1
kind: Service
metadata: {name: hello, namespace: ${namespace}, labels: {own: label}, annotations: {own: annotation}}
spec: {${spec}}
`;
}

/** renderPods are the pods behind it; of a StatefulSet each has a host name. */
export function renderPods(
  namespace: string,
  replicas: number,
  kind: "Deployment" | "StatefulSet" = "Deployment",
): string {
  const args = `[netexec, "--http-port=${PORT}", "--udp-port=${PORT}"]`;
  const probe = `{httpGet: {path: /healthz, port: ${PORT}}, periodSeconds: 1}`;
  return `apiVersion: apps/v1
kind: ${kind}
metadata: {name: hello, namespace: ${namespace}}
spec:
  replicas: ${replicas}
  ${kind === "StatefulSet" ? "serviceName: hello\n  podManagementPolicy: Parallel" : "strategy: {type: Recreate}"}
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: hello, image: "${IMAGES.agnhost}", imagePullPolicy: Never, args: ${args}, readinessProbe: ${probe}}]
`;
}

/** renderExport exports it; `tag` is the name of a label and of an annotation that go along. */
export function renderExport(namespace: string, tag?: string): string {
  const spec =
    tag === undefined ? "" : `spec: {exportedLabels: {${tag}: "true"}, exportedAnnotations: {${tag}: "true"}}\n`;
  return `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceExport
metadata: {name: hello, namespace: ${namespace}}
${spec}`;
}
