import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ZoneChange } from "#dns";
import type { GlobalnetWant } from "#globalnet";
import { TestClock, turns, until } from "#lab";
import { silentLog, Troubles } from "#life";
import { err, ok } from "#values";
import { type CompiledNetwork, compileNetwork } from "./compile-network.ts";
import { type CompiledService, compileService } from "./compile-service.ts";
import { Reconciler } from "./reconciler.ts";
import {
  candidatesOf,
  catalogueOf,
  exportBody,
  GW,
  grant,
  ip,
  SERVICES,
  SUPERNET,
  serviceGrant,
  TestMember,
} from "./testbed.ts";

type Table = GlobalnetWant & { readonly services: NonNullable<GlobalnetWant["services"]> };

/** World is a machine and a zone that write down what is done to them, and services that a test changes. */
class World {
  readonly clock = new TestClock();
  readonly troubles = new Troubles();
  readonly amber = new TestMember("amber", 1);
  readonly birch = new TestMember("birch", 2);
  readonly catalogue = catalogueOf(...this.amber.joined(), ...this.birch.joined(), this.birch.gateway());
  /** In order: `tunnels`, `table WEB…`, `zone +web`, `zone -web`. */
  readonly log: string[] = [];
  readonly probed: CompiledNetwork[] = [];
  network: CompiledNetwork | undefined = this.networkNow();
  tunnelFault: string | null = null;
  tableFault: string | null = null;
  guardFault: string | null = null;
  may: (service: CompiledService) => boolean = () => true;
  table: Table | undefined;
  readonly reconciler: Reconciler;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(hasPlane = true) {
    const context = {
      own: this.amber.cluster,
      translation: { pods: [], nodes: new Map() },
      reachable: () => true,
      last: [],
    };
    this.reconciler = new Reconciler({
      ...{ clock: this.clock, log: silentLog, troubles: this.troubles },
      plane: hasPlane ? (this.#plane() as never) : null,
      responder: { update: (changes) => this.#zone(changes) },
      probe: (network) => this.probed.push(network),
      networkAgain: () => this.network,
      network: async () => this.network,
      compiler: () => (key) => compileService(this.catalogue, key, context),
      mayAnnounce: (service) => (this.may(service) ? "now" : "later"),
    });
  }

  networkNow(): CompiledNetwork | undefined {
    return compileNetwork({
      ...{
        catalogue: this.catalogue,
        own: this.amber.cluster,
        gateway: GW,
        supernet: SUPERNET,
        servicePrefix: SERVICES,
      },
      ...{ nodeLocal: ip("172.31.0.11"), listenPort: 51_820, mtu: 1440, underlayLinks: [], localLinks: [] },
      ...{ neighbours: new Map(), underlayMtu: 1500, nodes: [], nodeWay: "auto", leaving: false, isUp: () => true },
    });
  }

  /** says has birch export services by name, with an endpoint or (null) no more. */
  says(exports: Readonly<Record<string, string | null>>): void {
    const grants = Object.keys(exports).map((name) => serviceGrant(name, addressOf(name)));
    const bodies = Object.entries(exports).map(([name, to]) => [name, to === null ? null : exportBody(name, [to])]);
    const put = [grant(...grants), ...this.birch.says(Object.fromEntries(bodies))];
    const removed = Object.keys(exports).map((name) => `export/birch/shop/${name}`);
    this.catalogue.apply(candidatesOf(...put), removed);
    this.reconciler.markServices(Object.keys(exports).map((name) => `shop/${name}`));
  }

  start(): void {
    this.#running = this.reconciler.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** since is what was done after a moment, without looks that changed nothing. */
  since(from: number): readonly string[] {
    return this.log.slice(from);
  }

  #plane() {
    return {
      tunnels: {
        reconcile: async () => {
          this.log.push("tunnels");
          return this.tunnelFault === null ? ok(1) : err(this.tunnelFault);
        },
      },
      globalnet: {
        guard: async () => {
          if (this.guardFault === null) return ok(undefined);
          return err({ kind: "failed", argv: ["nft"], code: 1, stderr: this.guardFault });
        },
        reconcile: async (want: Table) => {
          if (this.tableFault !== null) {
            this.log.push("table failed");
            return err({ kind: "failed", argv: ["nft"], code: 1, stderr: this.tableFault });
          }
          this.table = { ...want, services: new Map(want.services) };
          this.log.push(`table ${[...want.services.values()].map((entry) => nameOf(entry.address)).join(",")}`);
          return ok(1);
        },
        forget: () => this.log.push("forget"),
      },
    };
  }

  #zone(changes: readonly ZoneChange[]): void {
    for (const change of changes) {
      if (change.kind === "service") this.log.push(`zone +${change.service.name}`);
      if (change.kind === "remove") this.log.push(`zone -${change.name}`);
    }
  }
}

const NAMES = ["web", "api", "db", ...Array.from({ length: 1200 }, (_, i) => `s${i}`)];
const addressOf = (name: string): string => {
  const at = NAMES.indexOf(name) + 1;
  return `242.192.${at >> 8}.${at & 255}`;
};
const nameOf = (address: string): string => {
  const [, , high, low] = address.split(".").map(Number);
  return NAMES[(high ?? 0) * 256 + (low ?? 0) - 1] ?? "?";
};

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(async () => {
  await world.stop();
});

describe("Reconciler announces", () => {
  test("in the one order: tunnels, table, then the name", async () => {
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.announced("shop/web"));
    expect(world.log).toEqual(["tunnels", "table web", "zone +web"]);
    expect(world.probed).toHaveLength(1);
    expect(world.reconciler.passes).toBe(1);
  });

  test("the first table has every service that is known: what it lacks leaves the machine", async () => {
    const names = NAMES.slice(3);
    for (const part of [names.slice(0, 400), names.slice(400, 800), names.slice(800)]) {
      world.says(Object.fromEntries(part.map((name) => [name, "242.2.0.1"])));
    }
    world.start();
    await until(() => world.table !== undefined);
    expect(world.table?.services.size).toBe(1200);
    await until(() => world.reconciler.settled);
    expect(world.log.filter((line) => line.startsWith("table"))).toHaveLength(1);
  });

  test("and a second pass does nothing", async () => {
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.settled);
    const from = world.log.length;
    await clockTurns(10_000);
    expect(world.since(from)).toEqual([]);
  });

  test("no name whose table could not be written; it is tried again each second", async () => {
    world.tableFault = "Error: syntax error";
    world.says({ web: "242.2.0.1" });
    world.start();
    await clockTurns(3500);
    expect(world.log.filter((line) => line.startsWith("zone"))).toEqual([]);
    expect(world.troubles.list()).toMatchObject([{ code: "reconcile-failed", severity: "critical" }]);
    expect(world.log.filter((line) => line === "table failed").length).toBeGreaterThanOrEqual(3);
    world.tableFault = null;
    await clockTurns(1100);
    expect(world.reconciler.announced("shop/web")).toBe(true);
    expect(world.troubles.list()).toEqual([]);
  });

  test("what can be reached although a tunnel cannot be made, and says that the machine is not right", async () => {
    world.tunnelFault = "mrd1: port 51821 is taken";
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.announced("shop/web"));
    expect(world.troubles.list()[0]?.detail).toBe("mrd1: port 51821 is taken");
    expect(world.reconciler.passes).toBe(0);
    world.tunnelFault = null;
    await clockTurns(1100);
    expect(world.troubles.list()).toEqual([]);
    expect(world.reconciler.passes).toBeGreaterThan(0);
  });

  test("no tunnel before the guard stands: what came through it would be refused by nothing", async () => {
    world.guardFault = "no nft";
    world.start();
    await clockTurns(2500);
    expect(world.log).not.toContain("tunnels");
    expect(world.troubles.list()[0]?.detail).toContain("no nft");
    world.guardFault = null;
    await clockTurns(1100);
    expect(world.log).toContain("tunnels");
    expect(world.troubles.list()).toEqual([]);
  });

  test("a name that is held back when it is looked at again; its table stands before", async () => {
    world.may = () => false;
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.settled);
    expect(world.log).toEqual(["tunnels", "table web"]);
    world.may = () => true;
    world.reconciler.markHeld();
    await until(() => world.reconciler.announced("shop/web"));
  });

  test("all of very many that come later, the first before the last is compiled", async () => {
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.settled);
    world.reconciler.markServices(Array.from({ length: 1700 }, (_, at) => `shop/none${at}`));
    await until(() => world.reconciler.settled);
    expect(world.reconciler.passes).toBe(1 + 4);
  });
});

describe("Reconciler withdraws", () => {
  beforeEach(async () => {
    world.says({ web: "242.2.0.1", api: "242.2.0.2" });
    world.start();
    await until(() => world.reconciler.settled);
    world.log.splice(0);
  });

  test("out of the zone at once, out of the table ten seconds later", async () => {
    world.says({ web: null });
    await until(() => world.log.includes("zone -web"));
    expect(world.log[0]).toBe("zone -web");
    await clockTurns(9900);
    expect([...(world.table?.services.values() ?? [])].map(({ address }) => nameOf(address)).sort()).toEqual([
      "api",
      "web",
    ]);
    await clockTurns(200);
    expect(world.log.at(-1)).toBe("table api");
    expect(world.reconciler.served.has("shop/web")).toBe(false);
  });

  test("not what comes back within that time", async () => {
    world.says({ web: null });
    await until(() => world.log.includes("zone -web"));
    await clockTurns(5000);
    world.says({ web: "242.2.0.7" });
    await clockTurns(10_000);
    expect(world.log).toContain("zone +web");
    const entry = [...(world.table?.services.values() ?? [])].find(({ address }) => nameOf(address) === "web");
    expect(entry?.backends.map(({ address }) => address)).toEqual(["242.2.0.7"]);
  });

  test("an endpoint that goes leaves the table at once: new connections must not meet it", async () => {
    world.says({ web: "242.2.0.9" });
    await until(() => world.log.includes("zone +web"));
    const entry = [...(world.table?.services.values() ?? [])].find(({ address }) => nameOf(address) === "web");
    expect(entry?.backends.map(({ address }) => address)).toEqual(["242.2.0.9"]);
  });

  test("a name out of the zone also while the table cannot be written", async () => {
    world.tableFault = "no";
    world.says({ web: null });
    await until(() => world.log.includes("zone -web"));
    expect(world.reconciler.announced("shop/web")).toBe(false);
  });
});

describe("Reconciler and the network", () => {
  test("what was granted once stays in force when it is taken back", async () => {
    world.says({ web: "242.2.0.1" });
    world.start();
    await until(() => world.reconciler.settled);
    world.network = undefined;
    world.reconciler.markNetwork();
    await turns();
    expect(world.reconciler.network).toBeDefined();
    expect(world.log.filter((line) => line === "tunnels")).toHaveLength(2);
  });

  test("looks at the machine anew every thirty seconds, whoever changed it", async () => {
    world.start();
    await until(() => world.reconciler.settled);
    await clockTurns(61_000);
    expect(world.log.filter((line) => line === "forget").length).toBeGreaterThanOrEqual(1);
    expect(world.log.filter((line) => line === "tunnels").length).toBeGreaterThanOrEqual(2);
  });

  test("what throws is tried again, with the network", async () => {
    let fails = true;
    const { network } = world;
    Object.defineProperty(world, "network", {
      get: () => {
        if (fails) throw new Error("ip was killed");
        return network;
      },
    });
    world.start();
    await turns();
    expect(world.troubles.list()[0]?.detail).toBe("Error: ip was killed");
    fails = false;
    await clockTurns(1100);
    expect(world.log).toContain("tunnels");
    expect(world.troubles.list()).toEqual([]);
  });

  test("own pods that are endpoints may be their own clients, until none of their services is left", async () => {
    const own = world.amber.says({ web: exportBody("web", ["242.1.0.5"]), api: exportBody("api", ["242.1.0.5"]) });
    world.catalogue.apply(candidatesOf(...own));
    world.says({ web: "242.2.0.1", api: "242.2.0.2" });
    world.start();
    await until(() => world.reconciler.settled);
    expect(world.table?.plan.hairpin).toEqual(["242.1.0.5"]);
    world.catalogue.apply(candidatesOf(...world.amber.says({ web: null })), ["export/amber/shop/web"]);
    world.reconciler.markServices(["shop/web"]);
    await until(() => world.reconciler.settled);
    expect(world.table?.plan.hairpin).toEqual(["242.1.0.5"]);
    world.catalogue.apply(candidatesOf(...world.amber.says({ api: null })), ["export/amber/shop/api"]);
    world.reconciler.markServices(["shop/api"]);
    await until(() => world.table?.plan.hairpin.length === 0);
  });

  test("without a data plane names are served alone", async () => {
    const bare = new World(false);
    bare.says({ web: "242.2.0.1" });
    bare.start();
    await until(() => bare.reconciler.announced("shop/web"));
    expect(bare.log).toEqual(["zone +web"]);
    await bare.stop();
  });

  test("leaves no timers behind, however often it is woken", async () => {
    world.start();
    for (let at = 0; at < 40; at += 1) {
      world.reconciler.markServices(["shop/none"]);
      await turns(4);
    }
    expect(world.clock.sleeping).toBeLessThanOrEqual(1);
  });
});

/** clockTurns lets simulated time pass. */
function clockTurns(ms: number): Promise<void> {
  return world.clock.pass(ms);
}
