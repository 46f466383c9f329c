import { type Daemon, invite, startBroker, startGateway } from "./program.ts";
import type { ClusterName, Scene } from "./scene.ts";

/** Clusterset is a scene whose clusters have joined. */
export interface Clusterset {
  readonly scene: Scene;
  readonly broker: Daemon;
  readonly gateways: Record<ClusterName, Daemon>;
}

/** joinScene starts a broker and a gateway in each cluster; `say` hears of each step. They join one after the other,
 *  so that the first cluster has the first prefix. It returns when all are ready, which is before the first has heard
 *  of the last: what follows has to wait for what it needs. */
export async function joinScene(scene: Scene, say: (line: string) => void): Promise<Clusterset> {
  say("starting the broker");
  const broker = await startBroker(scene.underlay);
  const start = async (name: ClusterName): Promise<Daemon> => {
    const token = await invite(broker, ["--cluster", name]);
    say(`joining ${name}`);
    return startGateway(scene.clusters[name], { token });
  };
  const amber = await start("amber");
  const birch = await start("birch");
  const cedar = await start("cedar");
  return { scene, broker, gateways: { amber, birch, cedar } };
}

/** restartGateway starts a cluster's gateway again with what it has on disk, without a token. */
export async function restartGateway(clusterset: Clusterset, name: ClusterName): Promise<Daemon> {
  const daemon = await startGateway(clusterset.scene.clusters[name]);
  clusterset.gateways[name] = daemon;
  return daemon;
}
