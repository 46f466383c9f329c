import {
  IMAGES,
  installIn,
  type KubeCluster,
  type KubeSet,
  type NodeTools,
  pageFrom,
  type Run,
  raiseKubeSet,
} from "#lab";
import { expect } from "#values";
import { renderClient, renderExport, renderNamespace } from "../demo/kube-objects.ts";
import { buildImage } from "../deploy/image/build-image.ts";

export const NAMESPACE = "shop";
export const LOCAL_ZONE = `${NAMESPACE}.svc.cluster.local`;
export const CLUSTERSET_ZONE = `${NAMESPACE}.svc.clusterset.local`;
/** Port of the pods of `web`; their Services have 80. */
export const POD_PORT = 8080;
const READY = { timeoutMs: 130_000 };

/** raiseShop raises two real clusters with the program installed in both: amber runs pods of `web`, whose Service is
 *  exported; each has a pod `client`, which has had a page of it. */
export async function raiseShop(run: Run, tools: NodeTools, say: (text: string) => void): Promise<KubeSet> {
  say("building the image of this checkout");
  const image = expect(await buildImage(() => {}));
  say("raising two clusters");
  const set = await raiseKubeSet(run, tools, image);
  const { amber, birch } = set;
  say("installing in both");
  for (const cluster of [amber, birch]) expect(await installIn(set, cluster));
  await apply(amber, [renderNamespace(), renderWeb(0), renderService("web"), renderExport("web"), renderClient()]);
  await apply(birch, [renderNamespace(), renderWeb(0), renderClient()]);
  const ready = ["wait", "-n", NAMESPACE, "--for=condition=Ready", "pods", "--all", "--timeout=120s"];
  for (const cluster of [amber, birch]) {
    await cluster.kubectl(["rollout", "status", "-n", NAMESPACE, "deployment/web", "--timeout=120s"], READY);
    await cluster.kubectl(ready, READY);
  }
  expect(await pageFrom(amber, "client", `http://web.${LOCAL_ZONE}/`));
  expect(await pageFrom(birch, "client", `http://web.${CLUSTERSET_ZONE}/`));
  return set;
}

/** apply writes objects as a user with kubectl does. */
export async function apply(cluster: KubeCluster, objects: readonly string[]): Promise<void> {
  await cluster.kubectl(["apply", "-f", "-"], { stdin: objects.join("---\n") });
}

/** renderWeb is a Deployment of four servers, each of which goes on for some seconds when it is asked to end. */
export function renderWeb(lingerSeconds: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${NAMESPACE}}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 15
      containers:
      - name: server
        image: ${IMAGES.agnhost}
        imagePullPolicy: Never
        args: [netexec, --http-port=${POD_PORT}, --delay-shutdown=${lingerSeconds}]
        readinessProbe: {httpGet: {path: /healthz, port: ${POD_PORT}}, periodSeconds: 1}
`;
}

/** renderService is a Service over the pods of `web`. */
export function renderService(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: ${POD_PORT}}]}
`;
}
