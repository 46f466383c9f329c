import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, readMap, writeMap } from "#life";
import { err, formatHostPort, ok, type Result, type TunnelKey } from "#values";
import type { DataPlane } from "./data-plane.ts";
import type { Machine } from "./machine.ts";
import { interfaceName, MAX_INTERFACES } from "./ours.ts";
import { ipBatch, outside } from "./outside.ts";
import type { ConfigureStep } from "./step.ts";
import { Sysctls } from "./sysctls.ts";
import { keyPath } from "./tunnel-key.ts";
import { endpointKey } from "./tunnel-state.ts";
import { checkPort, portFault } from "./udp-port.ts";
import { linkExists, linkGone, logPath, startUserspace, stopUserspace } from "./userspace.ts";
import { wgSetWords } from "./wg-text.ts";

export interface MachineOptions {
  readonly dataDir: string;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
}

/** PEERS_PER_CALL keeps a command line of `wg` far below ARG_MAX. */
const PEERS_PER_CALL = 1000;

/** RealMachine carries steps out by `ip`, `wg` and wireguard-go. */
export class RealMachine implements Machine {
  readonly #options: MachineOptions;
  /** Apart from the steps: teardown restores what they changed. */
  readonly sysctls: Sysctls;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.sysctls = new Sysctls(options.dataDir);
  }

  readonly batch = ipBatch;

  async create(index: number, listenPort: number): Promise<Result<null>> {
    const { dataPlane, dataDir, clock } = this.#options;
    // First of all: an interface without its port would be up, be used, and carry nothing.
    const free = await checkPort(index, listenPort);
    if (!free.ok) return free;
    const name = interfaceName(index);
    // A link without a WireGuard behind it is what a killed process left, or somebody's test: its place is ours.
    if (await linkExists(index)) await outside(["ip", "link", "del", "dev", name]);
    if (!(await linkGone(index, clock))) return err(`${name} is there, but no WireGuard answers for it`);
    if (dataPlane.mode === "kernel") return quietly(outside(["ip", "link", "add", "dev", name, "type", "wireguard"]));
    return startUserspace(index, { program: dataPlane.implementation, dataDir, clock });
  }

  /** A TUN device that is deleted ends its wireguard-go, which then removes its socket. */
  async destroy(index: number): Promise<Result<null>> {
    // The link may go by itself between the look and the deletion; only one that stays is a fault.
    if (await linkExists(index)) {
      const done = await outside(["ip", "link", "del", "dev", interfaceName(index)]);
      if (!done.ok && (await linkExists(index))) return done;
    }
    await stopUserspace(index, this.#options.clock);
    return ok(null);
  }

  /** The endpoints that were set are noted after `wg` has them: a crash in between costs one repetition at most. */
  async configure(step: ConfigureStep): Promise<Result<null>> {
    const { index, listenPort, peers } = step;
    const device = listenPort === null ? null : { listenPort, keyFile: keyPath(this.#options.dataDir) };
    const name = interfaceName(index);
    if (listenPort !== null) {
      // wireguard-go gives its old port up before it asks for the new one, and would be left with none.
      const present = await outside(["wg", "show", name, "listen-port"]);
      const free = present.ok && Number(present.value) === listenPort ? ok(null) : await checkPort(index, listenPort);
      if (!free.ok) return free;
    }
    for (let i = 0; i === 0 || i < peers.length; i += PEERS_PER_CALL) {
      const words = wgSetWords(i === 0 ? device : null, peers.slice(i, i + PEERS_PER_CALL));
      const done = await outside(["wg", "set", name, ...words]);
      if (done.ok) continue;
      return /already in use|Address in use/.test(done.error) ? err(portFault(index, listenPort ?? 0)) : done;
    }
    return this.#remember(step);
  }

  async forget(index: number, peers: readonly TunnelKey[]): Promise<Result<null>> {
    const words = peers.flatMap((peer) => ["peer", peer, "remove"]);
    return quietly(outside(["wg", "set", interfaceName(index), ...words]));
  }

  setSysctl(name: string, value: string): Promise<Result<null>> {
    return this.sysctls.set(name, value);
  }

  /** lastEndpoints are the endpoints that we set last, by endpointKey, whichever daemon it was. */
  lastEndpoints(): Promise<ReadonlyMap<string, string>> {
    return readMap(this.#endpoints);
  }

  /** forgetAll removes the notes about what was here; the key stays, since peers know it. */
  async forgetAll(): Promise<void> {
    const indices = [...Array(MAX_INTERFACES).keys()];
    const logs = indices.map((index) => logPath(this.#options.dataDir, index));
    await Promise.all([this.#endpoints, ...logs].map((path) => rm(path, { force: true })));
  }

  get #endpoints(): string {
    return join(this.#options.dataDir, "tunnel-endpoints.json");
  }

  async #remember({ index, peers }: ConfigureStep): Promise<Result<null>> {
    const set = peers.flatMap(({ publicKey, endpoint }) =>
      endpoint === null ? [] : [[endpointKey(index, publicKey), formatHostPort(endpoint)] as const],
    );
    return set.length === 0 ? ok(null) : writeMap(this.#endpoints, new Map([...(await this.lastEndpoints()), ...set]));
  }
}

/** quietly drops the output of a program that is called for its effect. */
async function quietly(done: Promise<Result<string>>): Promise<Result<null>> {
  const result = await done;
  return result.ok ? ok(null) : result;
}
