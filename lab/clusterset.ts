import { type Daemon, invite, startBroker, startGateway } from "./program.ts";
import { CLUSTERS, type ClusterName, type Scene } from "./scene.ts";

/** Clusterset is a scene whose clusters have joined. */
export interface Clusterset {
  readonly scene: Scene;
  readonly broker: Daemon;
  readonly gateways: Record<ClusterName, Daemon>;
}

/** joinScene starts a broker and a gateway in each cluster; `say` hears of each step. It returns when all are ready,
 *  which is before the last of them has heard of every other one: what follows has to wait for what it needs. */
export async function joinScene(scene: Scene, say: (line: string) => void): Promise<Clusterset> {
  say("starting the broker");
  const broker = await startBroker(scene.underlay);
  // Each cluster has a token of its own, and all join at once, as they would.
  const start = async (name: ClusterName): Promise<Daemon> => {
    const token = await invite(broker, ["--cluster", name]);
    say(`joining ${name}`);
    return startGateway(scene.clusters[name], { token });
  };
  const [amber, birch, cedar] = await Promise.all(CLUSTERS.map(start));
  if (amber === undefined || birch === undefined || cedar === undefined) throw new Error("a gateway is missing");
  return { scene, broker, gateways: { amber, birch, cedar } };
}

/** restartGateway starts a cluster's gateway again with what it has on disk, without a token. */
export async function restartGateway(clusterset: Clusterset, name: ClusterName): Promise<Daemon> {
  const daemon = await startGateway(clusterset.scene.clusters[name]);
  clusterset.gateways[name] = daemon;
  return daemon;
}
