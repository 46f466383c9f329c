import { IMAGES } from "#lab";

/** renderWeb is a Deployment of two pods that tell their names over HTTP, and its Service `web`. */
export function renderWeb(): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}
      containers:
      - name: web
        image: ${IMAGES.agnhost}
        imagePullPolicy: Never
        args: [netexec, --http-port=8080]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;
}

/** renderClient is a pod on a node that does nothing by itself. */
export function renderClient(name: string, node: string, hostNetwork = false): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  nodeName: ${node}
  hostNetwork: ${hostNetwork}
  terminationGracePeriodSeconds: 0
  containers: [{name: client, image: "${IMAGES.net}", imagePullPolicy: Never}]
`;
}

/** renderTunnelClient is a pod that may make links and no more: it has the machine's TUN device, and the node's sysctls
 *  of the network. */
export function renderTunnelClient(name: string, node: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  nodeName: ${node}
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - name: client
    image: ${IMAGES.net}
    imagePullPolicy: Never
    securityContext: {capabilities: {add: [NET_ADMIN]}}
    volumeMounts:
    - {name: tun, mountPath: /dev/net/tun}
    - {name: sysctls, mountPath: /host/proc/sys/net}
  volumes:
  - {name: tun, hostPath: {path: /dev/net/tun, type: CharDevice}}
  - {name: sysctls, hostPath: {path: /proc/sys/net, type: Directory}}
`;
}
