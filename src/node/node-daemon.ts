import { createGlobalnet, systemConntrack, systemNft } from "#globalnet";
import { aborted, type Clock, type Log, type Room, runAll, type Trouble, Troubles, watchLoopDelay } from "#life";
import type { NodeReadings } from "#metrics";
import { createProber, PROBE_PORT, type ProbeReport, type Prober } from "#probe";
import { createTunnels, type Tunnels, watchRoutes } from "#tunnel";
import type { Ip, NodeName } from "#values";
import { NetworkKeeper } from "./network-keeper.ts";
import { NodeReconciler } from "./node-reconciler.ts";
import { type NodeSource, nodeSource } from "./node-source.ts";
import { NodeTable } from "./node-table.ts";
import type { NodeOptions } from "./options.ts";

export interface NodeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** NodeStatus is what `status` shows of a node without a gateway. */
export interface NodeStatus {
  readonly role: "node";
  readonly version: string;
  readonly cluster: string | null;
  readonly name: NodeName;
  readonly local: Ip | null;
  readonly global: Ip | null;
  /** Seconds since the gateways' word was heard; null while it is that of an earlier start. */
  readonly networkAgeSeconds: number | null;
  /** Ports of service addresses that the service table has; null while that is not known, and where nobody tells. */
  readonly services: number | null;
  readonly gateways: readonly NodeGatewayStatus[];
  readonly troubles: readonly Trouble[];
}

export interface NodeGatewayStatus {
  readonly name: string;
  readonly local: Ip;
  readonly global: Ip;
  /** How packets get there: directly by a link, or inside VXLAN. */
  readonly way: "direct" | "vxlan";
  /** Null with VXLAN. */
  readonly link: string | null;
  readonly up: boolean;
  readonly draining: boolean;
  readonly rttSeconds: number | null;
  readonly lossRatio: number;
}

/** NodeDaemon is the role of a node without a gateway of its own: the way of its pods to the gateways and back. Packets go
 *  on without it. */
export class NodeDaemon implements Room {
  readonly name = "node daemon";
  readonly troubles: Troubles;
  readonly #options: NodeOptions;
  readonly #deps: NodeDeps;
  readonly #network: NetworkKeeper;
  readonly #reconciler: NodeReconciler;
  readonly #tunnels: Tunnels & Room;
  /** Null where nobody tells of services. */
  readonly #table: NodeTable | null;
  readonly #up = new Map<string, boolean>();
  readonly #loop = watchLoopDelay();
  #prober: Prober | null = null;
  #source: NodeSource | null = null;

  constructor(options: NodeOptions, deps: NodeDeps) {
    this.#options = options;
    this.#deps = deps;
    const { clock, log } = deps;
    this.troubles = new Troubles((trouble, present) => tell(log, trouble, present));
    const common = { dataDir: options.dataDir, clock, log, troubles: this.troubles };
    this.#network = new NetworkKeeper(common);
    // Routes alone: no interface is made, and none is kept alive.
    const dataPlane = { mode: "kernel", implementation: "kernel", version: null } as const;
    this.#tunnels = createTunnels({ ...common, dataPlane });
    const globalnet = createGlobalnet({ nft: systemNft(), conntrack: systemConntrack(), troubles: this.troubles });
    const of = (key: string) => this.#source?.services?.of(key);
    this.#table = options.from.kind === "file" ? null : new NodeTable(options.name, clock, of);
    this.#reconciler = new NodeReconciler({
      ...{ clock, log, troubles: this.troubles, name: options.name, network: this.#network, table: this.#table },
      plane: { tunnels: this.#tunnels, globalnet },
      isUp: (gateway) => this.#up.get(gateway),
      probe: ({ targets }) => this.#prober?.setTargets(targets),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#network.load();
    const mark = (): void => this.#reconciler.markServices();
    this.#source = await nodeSource(this.#options, {
      ...this.#deps,
      troubles: this.troubles,
      heard: (text) => this.#network.heard(text),
      changed: (key) => {
        this.#table?.changed(key);
        mark();
      },
      synced: () => {
        this.#table?.synced();
        mark();
      },
    });
    const rooms = [this.#source, this.#reconciler, this.#tunnels, this.#routeWatcher(), this.#probeRoom()];
    await runAll(rooms, signal);
    await this.#network.settled();
  }

  /** notReady is null once a gateway carries this node's packets; else why not yet. */
  notReady(): string | null {
    if (this.#network.current === null) return "the gateways have not told of the network yet";
    const applied = this.#reconciler.applied;
    if (applied === null) return this.#reconciler.fault ?? "the machine is not set up yet";
    const names = applied.targets.map(({ id }) => id);
    return names.some((name) => this.#up.get(name) === true) ? null : "no gateway answers yet";
  }

  status(): NodeStatus {
    const { name, version } = this.#options;
    const applied = this.#reconciler.applied;
    const reports = new Map(this.#prober?.reports().map((report) => [report.id, report]));
    const near = new Map(applied?.routes.gateways.map((gateway) => [gateway.global, gateway]));
    const gateways = (this.#network.current?.gateways ?? []).flatMap((gateway): NodeGatewayStatus[] => {
      const link = near.get(gateway.global)?.link;
      if (link === undefined) return [];
      const way = link === null ? "vxlan" : "direct";
      return [{ ...told(gateway), way, link, ...measured(reports.get(gateway.name)) }];
    });
    return {
      role: "node",
      version,
      cluster: this.#network.current?.cluster ?? null,
      name,
      local: applied?.routes.node.local ?? null,
      global: applied?.routes.node.global ?? null,
      networkAgeSeconds: this.#network.ageSeconds,
      services: this.#table?.size ?? null,
      gateways,
      troubles: this.troubles.list(),
    };
  }

  /** readings is where its metrics come from. */
  readings(): NodeReadings {
    return {
      version: this.#options.version,
      gateways: () => this.status().gateways,
      networkAgeSeconds: () => this.#network.ageSeconds,
      loop: () => ({ p99Seconds: this.#loop.p99Seconds(), maxSeconds: this.#loop.maxSeconds() }),
      troubles: () => this.troubles.list(),
    };
  }

  /** The kernel's links and routes changed: what hung on them may be gone, and pods' links may be new. */
  #routeWatcher(): Room {
    return {
      name: "route-watcher",
      run: async (signal) => {
        for await (const _ of watchRoutes(signal, this.#deps.clock)) this.#reconciler.mark();
      },
    };
  }

  /** Probes leave from the node's own address, once the gateways have told which it is. */
  #probeRoom(): Room {
    return {
      name: "prober",
      run: async (signal) => {
        const first = await Promise.race([this.#reconciler.first(), aborted(signal).then(() => null)]);
        if (first === null) return;
        const { local: address } = first.routes.node;
        const prober = createProber({ ...this.#deps, troubles: this.troubles, address, port: PROBE_PORT });
        prober.onVerdict((id, up) => {
          this.#up.set(id, up);
          this.#reconciler.mark();
        });
        prober.setTargets(first.targets);
        this.#prober = prober;
        await prober.run(signal);
      },
    };
  }
}

function told({ name, local, global, draining }: { name: NodeName; local: Ip; global: Ip; draining: boolean }) {
  return { name, local, global, draining };
}

function measured(report: ProbeReport | undefined): Pick<NodeGatewayStatus, "up" | "rttSeconds" | "lossRatio"> {
  return { up: report?.up ?? false, rttSeconds: report?.rttSeconds ?? null, lossRatio: report?.lossRatio ?? 0 };
}

function tell(log: Log, { title, code, subject, detail, severity }: Trouble, present: boolean): void {
  const fields = { code, subject, detail };
  if (!present) log.info(`no more: ${title}`, fields);
  else if (severity === "info") log.info(`trouble: ${title}`, fields);
  else log.warn(`trouble: ${title}`, fields);
}
