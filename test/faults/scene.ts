import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "#lab";
import { folder } from "../cli/testbed.ts";
import {
  type Daemon,
  type GatewayPlace,
  gatewayPlace,
  startDaemon,
  until,
  webService,
  writeManifest,
} from "../cli/testbed-daemons.ts";
import { BrokerUnderTest } from "../hostile/broker-under-test.ts";
import { type Status, statusOf } from "../hostile/gateway-witness.ts";
import { DnsWatch } from "./dns-watch.ts";
import { Relay } from "./relay.ts";

const READY = /"msg":"ready"/;

/** Side is one cluster of a scene: its gateway, what it exports, and who asks it for names. */
export interface Side {
  readonly cluster: string;
  readonly place: GatewayPlace;
  daemon: Daemon;
  /** Names of the services that its manifests export now. */
  readonly exports: Set<string>;
  /** Whether its process is meant to run now. */
  up: boolean;
}

/** Scene is a broker and gateways without a data plane, all processes of the program, with a relay in between. Each
 *  cluster exports `NAME-0` from the start. */
export class Scene implements AsyncDisposable {
  readonly dir: string;
  readonly broker: BrokerUnderTest;
  readonly relay: Relay;
  readonly sides: Side[] = [];
  /** How far each gateway and the store have come: it must only grow (N1, N4). */
  readonly seen = new Map<string, number>();
  readonly supernet: string;
  readonly #remove: () => void;

  private constructor(dir: string, remove: () => void, broker: BrokerUnderTest, relay: Relay) {
    this.dir = dir;
    const { argv } = broker;
    this.supernet = argv[argv.indexOf("--supernet") + 1 || argv.length] ?? "242.0.0.0/8";
    this.#remove = remove;
    this.broker = broker;
    this.relay = relay;
  }

  static async raise(clusters: readonly string[] = ["amber", "birch"], flags: readonly string[] = []): Promise<Scene> {
    const [dir, remove] = folder();
    const port = await freePort();
    let target = 0;
    const relay = new Relay(() => target);
    await relay.open(port);
    const broker = await BrokerUnderTest.start(dir, ["--advertise", `wss://127.0.0.1:${port}`, ...flags]);
    target = broker.place.port;
    const scene = new Scene(dir, remove, broker, relay);
    for (const cluster of clusters) await scene.join(cluster);
    return scene;
  }

  async join(cluster: string): Promise<Side> {
    const place = await gatewayPlace(this.dir, cluster);
    const side: Side = { cluster, place, exports: new Set(), up: true, daemon: undefined as never };
    this.export(side, `${cluster}-0`);
    side.daemon = startDaemon([...place.argv, "--join-token", await this.broker.invite("--cluster", cluster)]);
    this.sides.push(side);
    await side.daemon.line(READY);
    return side;
  }

  side(cluster: string): Side {
    const found = this.sides.find((side) => side.cluster === cluster);
    if (found === undefined) throw new Error(`no side ${cluster}`);
    return found;
  }

  export(side: Side, name: string): void {
    const last = 10 + (side.exports.size % 200);
    writeManifest(side.place, `${name}.yaml`, webService(name, `10.244.1.${last}`));
    side.exports.add(name);
  }

  withdraw(side: Side, name: string): void {
    rmSync(join(side.place.manifests, `${name}.yaml`));
    side.exports.delete(name);
  }

  async kill(side: Side, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    side.up = false;
    await side.daemon.stop(signal);
  }

  /** start brings a gateway up again with what is on its disk, and waits until it serves. */
  async start(side: Side): Promise<number> {
    const from = performance.now();
    side.daemon = startDaemon(side.place.argv);
    side.up = true;
    await side.daemon.line(READY);
    return performance.now() - from;
  }

  /** wanted is every name that the manifests export, wherever. */
  wanted(): readonly string[] {
    return this.sides.flatMap(({ exports }) => [...exports]).sort();
  }

  watch(side: Side, names = this.wanted()): DnsWatch {
    return new DnsWatch(
      side.place.dns,
      names.map((name) => `${name}.shop.svc.clusterset.local`),
    );
  }

  status(side: Side): Promise<Status> {
    return statusOf(side.place);
  }

  /** connected waits until a gateway's session is live. */
  async connected(side: Side, timeoutMs = 20_000): Promise<void> {
    await until(
      () => this.status(side),
      ({ broker }) => broker.connected,
      timeoutMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { daemon } of this.sides) daemon.child.kill("SIGCONT");
    this.broker.daemon.child.kill("SIGCONT");
    await Promise.all(this.sides.map(({ daemon }) => daemon.stop("SIGKILL")));
    await this.broker[Symbol.asyncDispose]();
    await this.relay[Symbol.asyncDispose]();
    this.#remove();
  }
}
