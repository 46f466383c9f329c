import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stampMs } from "../bench/index.ts";
import { say as run } from "./daemon-process.ts";
import type { LoopbackBroker } from "./loopback-broker.ts";
import { LoopbackGateway } from "./loopback-gateway.ts";
import { NameWatch } from "./name-watch.ts";

/** Restored is what was seen of a broker that was lost and restored from an older backup. */
export interface Restored {
  /** From the start of the restored broker until a name that was exported then was answered in another member. */
  readonly speakMs: number;
  readonly asked: number;
  readonly lost: number;
  readonly faults: readonly string[];
}

interface Cluster {
  readonly id: string;
  readonly state: string;
}
interface Allocation {
  readonly cluster: string | null;
  readonly kind: string;
  readonly prefix: string;
  readonly state: string;
}

const name = (service: string): string => `${service}.shop.svc.clusterset.local`;
const PATIENCE_MS = 20_000;

/** Scene is amber and birch, which are members throughout, and what happens to xenon, yew and zinc meanwhile. */
export class RestoreScene {
  readonly #broker: LoopbackBroker;
  readonly #folder: string;
  readonly #gateways: LoopbackGateway[] = [];
  readonly #watches: NameWatch[] = [];

  constructor(broker: LoopbackBroker, folder: string) {
    this.#broker = broker;
    this.#folder = folder;
  }

  /** run plays it to the end; `awayMs` is how long the broker stays away before it is restored. */
  async run(awayMs: number, note: (text: string) => void): Promise<Restored> {
    const broker = this.#broker;
    const amber = await this.#join("amber", ["steady", "withdrawn"]);
    const birch = await this.#join("birch", ["birches"]);
    const [yew, zinc] = [await this.#join("yew", ["yews"]), await this.#join("zinc", ["zincs"])];
    for (const service of ["steady", "withdrawn", "yews", "zincs"]) await this.#until(birch, service, true);
    const file = join(this.#folder, "backup");
    await run("broker", "backup", "--data", broker.data, file);
    note("after the backup xenon joins, yew leaves, zinc is put out, names come and go");
    const xenon = await this.#join("xenon", ["xenons"]);
    await yew.leave();
    await broker.ask("DELETE", "/v1/clusters/zinc");
    await zinc.end("SIGTERM");
    amber.withdraw("withdrawn");
    amber.export("added");
    for (const service of ["added", "xenons"]) await this.#until(birch, service, true);
    for (const service of ["withdrawn", "yews", "zincs"]) await this.#until(birch, service, false);
    const before = await this.#allocations();
    await this.#watch([amber, birch, xenon], ["steady", "added", "birches", "xenons"]);
    note(`the broker and its disk are lost; away for ${(awayMs / 1000).toFixed(0)} s`);
    await broker.end("SIGKILL");
    rmSync(broker.data, { recursive: true });
    await sleep(awayMs);
    await run("broker", "restore", "--data", broker.data, file);
    const start = stampMs();
    amber.export("spoken");
    await broker.serve();
    await this.#until(birch, "spoken", true);
    const speakMs = stampMs() - start;
    await sleep(3000); // what would rise again has time to
    const faults = [...(await this.#afterwards([amber, birch, xenon], before)), ...(await this.#ends())];
    const names = this.#sum();
    return { speakMs, ...names, faults: [...faults, ...names.faults] };
  }

  async end(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.end("SIGKILL");
    await this.#broker.end("SIGKILL");
  }

  async #join(cluster: string, exports: readonly string[]): Promise<LoopbackGateway> {
    const gateway = await LoopbackGateway.join(this.#folder, this.#broker, cluster, exports);
    this.#gateways.push(gateway);
    return gateway;
  }

  async #until(at: LoopbackGateway, service: string, there: boolean): Promise<void> {
    const watch = new NameWatch(at.dns);
    const end = stampMs() + PATIENCE_MS;
    for (;;) {
      const said = await watch.ask(name(service), 200);
      if (said !== null && said.length > 0 === there) break;
      if (stampMs() > end) throw new Error(`${service} is ${there ? "not there" : "still there"} at ${at.cluster}`);
      await sleep(20);
    }
    await watch.stop();
  }

  async #watch(gateways: readonly LoopbackGateway[], services: readonly string[]): Promise<void> {
    for (const { dns } of gateways) {
      const watch = new NameWatch(dns);
      this.#watches.push(watch);
      const expected = new Map<string, string>();
      for (const service of services) expected.set(name(service), (await watch.ask(name(service)))?.join() ?? "");
      watch.watch(expected, 50);
    }
  }

  /** Who is a member, who has which prefix, and which names there are. */
  async #afterwards(gateways: readonly LoopbackGateway[], before: readonly Allocation[]): Promise<readonly string[]> {
    const faults: string[] = [];
    const { items } = (await this.#broker.ask("GET", "/v1/clusters?limit=100")) as { items: readonly Cluster[] };
    const states = items.map(({ id, state }) => `${id} ${state}`).sort();
    const wanted = ["amber live", "birch live", "xenon live", "yew left", "zinc evicted"];
    if (states.join() !== wanted.join()) faults.push(`members are ${states.join(", ")}`);
    const now = await this.#allocations();
    for (const { prefix, cluster, kind } of before) {
      const has = now.some((row) => row.prefix === prefix && row.cluster === cluster && row.kind === kind);
      if (!has) faults.push(`${prefix}, the ${kind} of ${cluster}, was lost`);
    }
    for (const { cluster, dns } of gateways) {
      const watch = new NameWatch(dns);
      for (const gone of ["withdrawn", "yews", "zincs"]) {
        if ((await watch.ask(name(gone)))?.length !== 0) faults.push(`${gone} has risen again at ${cluster}`);
      }
      await watch.stop();
    }
    return faults;
  }

  /** A newcomer gets what nobody has. */
  async #ends(): Promise<readonly string[]> {
    const held = new Set((await this.#allocations()).map(({ prefix }) => prefix));
    await this.#join("newcomer", []);
    const fresh = (await this.#allocations()).filter(({ cluster }) => cluster === "newcomer");
    const twice = fresh.filter(({ prefix }) => held.has(prefix)).map(({ prefix }) => `${prefix} was given twice`);
    return [...twice, ...(fresh.length === 0 ? ["a newcomer was granted nothing"] : [])];
  }

  async #allocations(): Promise<readonly Allocation[]> {
    const { items } = (await this.#broker.ask("GET", "/v1/allocations?limit=1000")) as { items: readonly Allocation[] };
    return items.filter(({ state, kind }) => state === "live" && kind !== "service");
  }

  #sum(): Pick<Restored, "asked" | "lost"> & { readonly faults: readonly string[] } {
    for (const watch of this.#watches) void watch.stop();
    const total = (of: (watch: NameWatch) => number): number => this.#watches.reduce((sum, w) => sum + of(w), 0);
    return {
      asked: total((w) => w.asked),
      lost: total((w) => w.lost),
      faults: this.#watches.flatMap(({ wrong }) => wrong),
    };
  }
}
