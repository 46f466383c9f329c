import { IMAGES } from "#lab";

/** Objects as a user of a cluster writes them. */

export function renderNamespace(): string {
  return "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n";
}

/** renderClient is a pod that does nothing by itself, on a certain node if one is given. */
export function renderClient(name = "client", node = ""): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop}
spec:
  ${node === "" ? "" : `nodeName: ${node}`}
  terminationGracePeriodSeconds: 0
  containers: [{name: client, image: "${IMAGES.net}", imagePullPolicy: Never}]
`;
}

/** renderShop is a Deployment that tells who asks, on as many nodes as it has pods, with a Service that is exported. */
export function renderShop(name: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: DoNotSchedule
          labelSelector: {matchLabels: {app: ${name}}}
      containers: [${renderServer()}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
${renderExport(name)}`;
}

/** renderHeadless is a pod with a host name, behind a headless Service that is exported. */
export function renderHeadless(): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: db-0, namespace: shop, labels: {app: db}}
spec: {hostname: db-0, subdomain: db, containers: [${renderServer()}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: http, port: 8080}]}
---
${renderExport("db")}`;
}

function renderServer(): string {
  const probe = "{httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}";
  const call = 'args: [netexec, "--http-port=8080"]';
  return `{name: server, image: "${IMAGES.agnhost}", imagePullPolicy: Never, ${call}, readinessProbe: ${probe}}`;
}

/** renderExport is the ServiceExport of a Service. */
export function renderExport(name: string): string {
  return `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceExport
metadata: {name: ${name}, namespace: shop}
`;
}
