import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLive } from "#kube";
import { type ControlPlane, freePort, type KubeClient, type KubeTools, kubeClient, startControlPlane } from "#lab";
import { brokerPlace, type Daemon, gatewayPlace, say, startDaemon } from "../cli/testbed-daemons.ts";

const { RESOURCES } = await loadLive();

/** KubeMember is a cluster with a live API server, and its gateway: a process of its own, without a data plane. */
export interface KubeMember {
  readonly cluster: string;
  readonly plane: ControlPlane;
  readonly user: KubeClient;
  readonly dns: number;
  readonly http: number;
  readonly data: string;
  /** What its gateway is told beside. */
  readonly flags: readonly string[];
  gateway: Daemon;
}

/** FolderMember is a cluster whose gateway reads manifests: a plain host. */
export interface FolderMember {
  readonly cluster: string;
  /** write puts a file of manifests into force; an empty text takes it away. */
  write(file: string, text: string): void;
}

export interface KubeScene {
  /** stopBroker and startBroker: without it nothing new is told, and everything else goes on. */
  stopBroker(): Promise<void>;
  startBroker(): Promise<void>;
  /** addFolder joins one more cluster, without an API server. */
  addFolder(cluster: string): Promise<FolderMember>;
  /** leave has a cluster leave the clusterset for good. */
  leave(member: KubeMember): Promise<void>;
  readonly members: readonly KubeMember[];
  /** start starts a gateway that was stopped, and waits for nothing. */
  start(member: KubeMember): Promise<void>;
  /** restart ends a member's gateway and starts it again. */
  restart(member: KubeMember, signal?: NodeJS.Signals): Promise<void>;
  down(): Promise<void>;
}

export const NAMESPACE = "shop";

/** Told is what is particular to clusters, by their names. */
interface Told {
  /** The one version of the Multi-Cluster Services API that a cluster serves; both unless told. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What the gateways of a cluster are told beside. */
  readonly flags?: Readonly<Record<string, readonly string[]>>;
}

/** raiseKubeScene makes a broker and as many clusters, each with CRDs and the namespace `shop`. */
async function raiseKubeScene(tools: KubeTools, clusters: readonly string[], told: Told): Promise<KubeScene> {
  const dir = mkdtempSync(join(tmpdir(), "meridian-scene-"));
  const ends: (() => Promise<unknown>)[] = [];
  const down = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const place = await brokerPlace(dir);
    const { stopBroker, startBroker } = await raiseBroker(place.argv, ends);
    const members: KubeMember[] = [];
    const raise = async (cluster: string): Promise<KubeMember> => {
      const plane = await startControlPlane({ tools });
      ends.push(() => plane.down());
      const user = await kubeClient(plane.kubeconfig);
      await user.installCrds(told.versions?.[cluster]);
      await user.grantGateway();
      await user.create(RESOURCES.namespaces, { metadata: { name: NAMESPACE } });
      const token = (await say(["invite", "--data", place.data])).out.trim();
      const [data, dns, http] = [join(dir, cluster), await freePort(), await freePort()];
      const flags = told.flags?.[cluster] ?? [];
      const argv = gatewayArgv({ cluster, data, dns, http, kubeconfig: plane.gatewayKubeconfig, flags });
      const gateway = startDaemon(argv, { MERIDIAN_JOIN_TOKEN: token });
      const member = { cluster, plane, user, dns, http, data, flags, gateway };
      ends.push(() => member.gateway.stop());
      await gateway.line(/"ready"/);
      return member;
    };
    for (const cluster of clusters) members.push(await raise(cluster));
    const addFolder = async (cluster: string): Promise<FolderMember> => {
      const { manifests, argv } = await gatewayPlace(dir, cluster);
      const token = (await say(["invite", "--data", place.data])).out.trim();
      const gateway = startDaemon(argv, { MERIDIAN_JOIN_TOKEN: token });
      ends.push(() => gateway.stop());
      await gateway.line(/"ready"/);
      const write = (file: string, text: string): void => {
        if (text === "") rmSync(join(manifests, file), { force: true });
        else writeFileSync(join(manifests, file), text);
      };
      return { cluster, write };
    };
    return { members, down, stopBroker, startBroker, start, restart, addFolder, leave };
  } catch (error) {
    await down();
    throw error;
  }
}

async function raiseBroker(argv: readonly string[], ends: (() => Promise<unknown>)[]) {
  let broker = startDaemon(argv);
  ends.push(() => broker.stop());
  await broker.line(/"ready"/);
  return {
    stopBroker: async (): Promise<void> => void (await broker.stop("SIGKILL")),
    startBroker: async (): Promise<void> => {
      broker = startDaemon(argv);
      await broker.line(/"ready"/);
    },
  };
}

/** raisePair is a scene of the two clusters that nearly everything is shown with. */
export async function raisePair(
  tools: KubeTools,
  told: Told = {},
): Promise<{ readonly scene: KubeScene; readonly amber: KubeMember; readonly birch: KubeMember }> {
  const scene = await raiseKubeScene(tools, ["amber", "birch"], told);
  const [amber, birch] = scene.members;
  if (amber === undefined || birch === undefined) throw new Error("the scene has two members");
  return { scene, amber, birch };
}

interface GatewayPlace {
  readonly cluster: string;
  readonly data: string;
  readonly dns: number;
  readonly http: number;
  readonly kubeconfig: string;
  readonly flags: readonly string[];
}

function gatewayArgv({ cluster, data, dns, http, kubeconfig, flags }: GatewayPlace): readonly string[] {
  return [
    ...["gateway", "--data", data, "--cluster", cluster, "--name", `${cluster}-1`, "--kubeconfig", kubeconfig],
    ...["--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/16", "--log-level", "debug"],
    ...["--export-marker", "cilium"],
    ...["--dns", `127.0.0.1:${dns}`, "--http", `127.0.0.1:${http}`, "--data-plane", "none", "--endpoint", "127.0.0.1"],
    ...flags,
  ];
}

async function leave({ data }: KubeMember): Promise<void> {
  const said = await say(["leave", "--data", data]);
  if (said.code !== 0) throw new Error(said.err);
}

async function restart(member: KubeMember, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  await member.gateway.stop(signal);
  await start(member);
  await member.gateway.line(/"ready"/);
}

async function start(member: KubeMember): Promise<void> {
  const { cluster, data, dns, http, flags, plane } = member;
  member.gateway = startDaemon(gatewayArgv({ cluster, data, dns, http, kubeconfig: plane.gatewayKubeconfig, flags }));
}
