import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** ManyExports is a folder full of exported Services that share a few pods. */
export interface ManyExports {
  readonly folder: string;
  readonly services: number;
  readonly files: number;
  /** Addresses of the pods; the i-th Service has one endpoint, the (i mod n)-th of them. */
  readonly pods: readonly string[];
  readonly targetPort: number;
}

const NAMESPACE = "load";
/** Port of each Service. */
export const SERVICE_PORT = 80;

/** serviceName is the name of the i-th Service. */
export function serviceName(index: number): string {
  return `s${String(index).padStart(5, "0")}`;
}

/** clustersetName is its name for all members. */
export function clustersetName(index: number): string {
  return `${serviceName(index)}.${NAMESPACE}.svc.clusterset.local`;
}

/** writeManyExports writes the Services in equal parts to the files, each with EndpointSlice and ServiceExport, in the
 *  block style in which kubectl prints. */
export async function writeManyExports(ask: ManyExports): Promise<void> {
  await mkdir(ask.folder, { recursive: true });
  const each = Math.ceil(ask.services / ask.files);
  for (let file = 0; file < ask.files; file++) {
    const count = Math.min(each, ask.services - file * each);
    const documents = Array.from({ length: count }, (_, i) => serviceDocuments(ask, file * each + i));
    await writeFile(join(ask.folder, `part-${String(file).padStart(3, "0")}.yaml`), documents.join("---\n"));
  }
}

/** serviceDocuments is one Service as Kubernetes objects (KEP-1645). */
export function serviceDocuments(ask: ManyExports, index: number): string {
  return [service(ask, index), endpointSlice(ask, index), serviceExport(index)].join("---\n");
}

function service({ targetPort }: ManyExports, index: number): string {
  const name = serviceName(index);
  const clusterIp = `10.96.${1 + (index >> 8)}.${index & 255}`;
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
  labels:
    app: ${name}
spec:
  type: ClusterIP
  clusterIP: ${clusterIp}
  clusterIPs:
  - ${clusterIp}
  ipFamilies:
  - IPv4
  ports:
  - name: http
    port: ${SERVICE_PORT}
    protocol: TCP
    targetPort: ${targetPort}
  selector:
    app: ${name}
  sessionAffinity: None
`;
}

/** The suffix is as the EndpointSlice controller makes one. */
function endpointSlice({ pods, targetPort }: ManyExports, index: number): string {
  const name = serviceName(index);
  return `addressType: IPv4
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${name}-x7k2p
  namespace: ${NAMESPACE}
  labels:
    kubernetes.io/service-name: ${name}
endpoints:
- addresses:
  - ${pods[index % pods.length]}
  conditions:
    ready: true
    serving: true
    terminating: false
ports:
- name: http
  port: ${targetPort}
  protocol: TCP
`;
}

function serviceExport(index: number): string {
  return `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceExport
metadata:
  name: ${serviceName(index)}
  namespace: ${NAMESPACE}
`;
}
