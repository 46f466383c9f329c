import {
  addPod,
  type Cluster,
  createCluster,
  createUnderlay,
  type Daemon,
  type GatewayOptions,
  invite,
  type Place,
  POD_CIDR,
  type Pod,
  type Run,
  SERVICE_CIDR,
  startBroker,
  startGateway,
} from "#lab";
import { expect, parseIp } from "#values";

/** Pair is two clusters with equal CIDRs and a broker between them; no gateway has started yet. */
export interface Pair {
  readonly run: Run;
  readonly underlay: Place;
  readonly broker: Daemon;
  readonly amber: Cluster;
  readonly birch: Cluster;
}

/** raisePair builds both clusters and starts the broker. Neither CNI masquerades: that is a matter of the checks, not
 *  of measurements. */
export async function raisePair(run: Run, brokerFlags: readonly string[] = []): Promise<Pair> {
  const underlay = await createUnderlay(run);
  const cidrs = { podCidr: POD_CIDR, serviceCidr: SERVICE_CIDR, masquerade: false };
  const [amber, birch] = await Promise.all([
    createCluster(underlay, { name: "amber", index: 1, ...cidrs }),
    createCluster(underlay, { name: "birch", index: 2, ...cidrs }),
  ]);
  const broker = await startBroker(underlay, brokerFlags);
  return { run, underlay, broker, amber, birch };
}

/** joinCluster starts a cluster's gateway for the first time, by a token of its own. */
export async function joinCluster({ broker }: Pair, cluster: Cluster, options: GatewayOptions = {}): Promise<Daemon> {
  return startGateway(cluster, { ...options, token: await invite(broker, ["--cluster", cluster.name]) });
}

/** addPods makes pods `NAME-0`, `NAME-1`, … with the addresses 10.244.1.10 and up, unless told otherwise. */
export async function addPods(
  cluster: Cluster,
  name: string,
  count: number,
  first = 10,
  range = "10.244.1",
): Promise<readonly Pod[]> {
  const pods: Pod[] = [];
  for (let i = 0; i < count; i++) {
    pods.push(await addPod(cluster, { name: `${name}-${i}`, address: expect(parseIp(`${range}.${first + i}`)) }));
  }
  return pods;
}
