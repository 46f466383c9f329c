import { setTimeout as sleep } from "node:timers/promises";
import type { KubeCluster, KubeSet } from "#lab";
import { expect } from "#values";
import { apply, CLUSTERSET_ZONE, LOCAL_ZONE, NAMESPACE, renderWeb } from "./kube-shop.ts";
import type { Proof } from "./line.ts";

const PER_SECOND = 50;
const SECONDS = 40;
const BEFORE_MS = 3000;
const ROLLED = { timeoutMs: 130_000 };

/** Lost is what two clients of one Deployment did not get during the same rolling updates. */
interface Lost {
  readonly asked: number;
  readonly own: number;
  readonly other: number;
}

/** proveRolling: a Deployment of amber is replaced under load, pod by pod, as often as told. A client of amber calls it by
 *  its ordinary Service, which is amber's kube-proxy alone; a client of birch by the clusterset name. Each request is a new
 *  connection. Both lose some by chance, so birch's count holds within two standard deviations of a difference of counts
 *  (Poisson). Pods that linger end some seconds after they were asked to, as a well-kept server does; others at once. */
export async function proveRolling(
  set: KubeSet,
  { lingerSeconds, times }: { readonly lingerSeconds: number; readonly times: number },
): Promise<Proof> {
  await apply(set.amber, [renderWeb(lingerSeconds)]);
  await rolled(set.amber);
  const rounds: Lost[] = [];
  for (let at = 0; at < times; at += 1) rounds.push(await round(set));
  const sum = (of: (lost: Lost) => number): number => rounds.reduce((all, lost) => all + of(lost), 0);
  const [asked, own, other] = [sum((lost) => lost.asked), sum((lost) => lost.own), sum((lost) => lost.other)];
  const what = lingerSeconds > 0 ? `pods that linger ${lingerSeconds} s` : "pods that end at once";
  return {
    measured: `${what}: ${other} of ${asked} lost from birch, ${own} of ${asked} inside amber`,
    holds: other - own <= 2 * Math.sqrt(own + other),
    details: rounds.map((lost, at) => `${what}, update ${at + 1}: birch ${lost.other}, amber ${lost.own}`),
  };
}

async function round({ amber, birch }: KubeSet): Promise<Lost> {
  const loads = [load(amber, `web.${LOCAL_ZONE}`), load(birch, `web.${CLUSTERSET_ZONE}`)];
  await sleep(BEFORE_MS);
  await amber.kubectl(["rollout", "restart", "-n", NAMESPACE, "deployment/web"]);
  await rolled(amber);
  const [own = [], other = []] = await Promise.all(loads);
  if (own.length !== other.length) throw new Error(`${own.length} and ${other.length} requests`);
  const lost = (codes: readonly string[]): number => codes.filter((code) => code !== "200").length;
  return { asked: own.length, own: lost(own), other: lost(other) };
}

async function rolled(cluster: KubeCluster): Promise<void> {
  await cluster.kubectl(["rollout", "status", "-n", NAMESPACE, "deployment/web", "--timeout=120s"], ROLLED);
}

/** load gives the HTTP status of each request, 000 where there was none. */
async function load(cluster: KubeCluster, host: string): Promise<readonly string[]> {
  const count = PER_SECOND * SECONDS;
  const how = ["-s", "-m", "2", "--rate", `${PER_SECOND}/s`, "-H", "Connection: close"];
  const what = ["-o", "/dev/null", "-w", "%{http_code}\\n", `http://${host}/hostname?[1-${count}]`];
  // The last request's failure is curl's exit code: what it has said counts.
  const script = 'curl "$@" || true';
  const done = await cluster.execIn("client", ["sh", "-c", script, "sh", ...how, ...what], {
    namespace: NAMESPACE,
    timeoutMs: SECONDS * 3000,
  });
  return expect(done).trim().split("\n");
}
