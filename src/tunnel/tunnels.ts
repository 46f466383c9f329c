import { aborted, backoffMs, type Clock, Latest, type Log, type Room, type Troubles } from "#life";
import { err, type HostPort, type Millis, millis, ok, parseHostPort, type Result, type TunnelKey } from "#values";
import { type Applied, applySteps, resultOf } from "./apply.ts";
import type { DataPlane } from "./data-plane.ts";
import type { NodePlan } from "./node-plan.ts";
import { interfaceName } from "./ours.ts";
import { ipBatch } from "./outside.ts";
import { plan, planTeardown } from "./plan.ts";
import { readDevices, readState } from "./read-state.ts";
import { RealMachine } from "./real-machine.ts";
import { steer } from "./steer.ts";
import type { Step } from "./step.ts";
import { loadTunnelKey } from "./tunnel-key.ts";
import type { TunnelPlan } from "./tunnel-plan.ts";
import { emptyState, type TunnelState } from "./tunnel-state.ts";
import { goneOrServed, trimLog, watchUserspace } from "./userspace.ts";

export interface TunnelOptions {
  readonly dataDir: string;
  readonly dataPlane: DataPlane;
  readonly log: Log;
  readonly clock: Clock;
  readonly troubles: Troubles;
}

/** PeerStatus is what WireGuard knows of one tunnel. */
export interface PeerStatus {
  readonly interface: number;
  readonly publicKey: TunnelKey;
  /** Where it was heard last, or where it is told to be. */
  readonly endpoint: HostPort | null;
  readonly latestHandshake: Millis | null;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Tunnels is the data plane of one gateway, or of another node of its member, which has routes alone. Its calls wait for each other; none is ever half done beside another. */
export interface Tunnels {
  /** read looks at the machine. */
  read(): Promise<Result<TunnelState>>;
  /** apply carries steps out; gives their number, or every fault in one line (the other steps are done). */
  apply(steps: readonly Step[]): Promise<Result<number>>;
  /** reconcile is read, plan and apply, and remembers the plan: while the room runs, a wireguard-go that dies is
   *  replaced by it. An interface that cannot be made is left out, and tried again. Gives the number of steps. */
  reconcile(want: TunnelPlan | NodePlan): Promise<Result<number>>;
  /** steer takes flows off the ways that went down since the last plan, within a few milliseconds and ahead of what is
   *  under way; the reconcile that has to follow sees to the rest. */
  steer(want: TunnelPlan): Promise<void>;
  status(): Promise<Result<readonly PeerStatus[]>>;
  /** teardown removes everything that carries our names, ends the processes and restores the sysctls. */
  teardown(): Promise<Result<null>>;
  /** made counts the interfaces made, for the first time or anew: sockets bound to one must be opened again then. */
  readonly made: Latest<number>;
}

/** createTunnels makes the room; nothing is touched before the first call. The end of `run` leaves everything as it
 *  is: packets go on, and the next daemon adopts what it finds. */
export function createTunnels(options: TunnelOptions): Tunnels & Room {
  return new TunnelRoom(options);
}

/** A wireguard-go that lived this long was not in a crash loop: its successor starts at once. */
const HEALTHY_MS = 1000;
const TROUBLE = "tunnel-failed";

class TunnelRoom implements Tunnels, Room {
  readonly name = "tunnel";
  readonly made = new Latest(0);
  readonly #options: TunnelOptions;
  /** Indices whose processes are to be kept alive. */
  readonly #kept = new Latest<readonly number[]>([]);
  #want: TunnelPlan | NodePlan | null = null;
  #loaded: { readonly key: TunnelKey; readonly machine: RealMachine } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  read(): Promise<Result<TunnelState>> {
    return this.#alone(() => this.#read());
  }

  apply(steps: readonly Step[]): Promise<Result<number>> {
    return this.#alone(async () => {
      const done = await this.#apply(steps);
      return done.ok ? resultOf(steps, done.value) : done;
    });
  }

  reconcile(want: TunnelPlan | NodePlan): Promise<Result<number>> {
    this.#want = want;
    return this.#alone(() => this.#reconcile());
  }

  // Not in the queue: a pass in front of it would hold up live flows. A pass that planned earlier can at most repeat
  // what was there before, and the next one knows this plan.
  async steer(want: TunnelPlan): Promise<void> {
    const before = this.#want;
    if (this.#idle || before === null || "gateways" in before) return;
    this.#want = want;
    const lines = steer(before, want);
    if (lines.length === 0) return;
    const faults = await ipBatch(lines);
    if (faults.length > 0) this.#options.log.debug("flows were not steered at once", { faults });
  }

  // Not in the queue: a look that changes nothing need not wait for a change.
  async status(): Promise<Result<readonly PeerStatus[]>> {
    if (this.#idle) return ok([]);
    const devices = await readDevices();
    if (!devices.ok) return devices;
    return ok(
      [...devices.value].flatMap(([index, { peers }]) =>
        [...peers].map(([publicKey, { endpoint, latestHandshakeSeconds, receivedBytes, sentBytes }]) => {
          const place = parseHostPort(endpoint ?? "");
          return {
            interface: index,
            publicKey,
            endpoint: place.ok ? place.value : null,
            latestHandshake: latestHandshakeSeconds === 0 ? null : millis(latestHandshakeSeconds * 1000),
            receivedBytes,
            sentBytes,
          };
        }),
      ),
    );
  }

  teardown(): Promise<Result<null>> {
    this.#want = null;
    this.#kept.set([]);
    return this.#alone(async () => {
      if (this.#idle) return ok(null);
      const have = await this.#read();
      if (!have.ok) return have;
      // What counts is that nothing is left, not that every step found something to remove: deleting an interface,
      // say, takes routes along that the plan had listed.
      const done = await this.#apply(planTeardown(have.value));
      const left = await this.#read();
      if (!left.ok) return left;
      const steps = planTeardown(left.value);
      if (steps.length > 0)
        return err(`${steps.length} things are left: ${done.ok ? done.value.faults.join("; ") : done.error}`);
      const machine = await this.#load();
      if (!machine.ok) return machine;
      await machine.value.machine.forgetAll();
      return machine.value.machine.sysctls.restore();
    });
  }

  /** run keeps one keeper per interface. The kernel's WireGuard has no process to keep: who deletes such an interface
   *  is seen by watchRoutes, and the next reconcile makes it again. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.dataPlane.mode !== "userspace") return aborted(signal);
    const keepers = new Map<number, { readonly stop: AbortController; readonly end: Promise<void> }>();
    const end = aborted(signal);
    while (!signal.aborted) {
      const changed = this.#kept.changed();
      for (const index of this.#kept.value) {
        if (keepers.has(index)) continue;
        const stop = new AbortController();
        keepers.set(index, { stop, end: this.#keep(index, AbortSignal.any([signal, stop.signal])) });
      }
      for (const [index, { stop }] of keepers) {
        if (this.#kept.value.includes(index)) continue;
        stop.abort();
        keepers.delete(index);
      }
      await Promise.race([changed, end]);
    }
    await Promise.all([...keepers.values()].map((keeper) => keeper.end));
    await this.#last; // a step that was begun is finished
  }

  /** keep replaces the wireguard-go of one interface whenever it dies: at once if it was healthy, else after a wait.
   *
   *      watching ── socket closes ──> waiting (crash loop only) ──> interface gone ──> reconcile ──> watching
   *          └── signal, or no longer wanted ──> end (the process stays) */
  async #keep(index: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let failures = 0; ; ) {
      const since = clock.monotonic();
      await watchUserspace(index, signal);
      if (signal.aborted || !this.#kept.value.includes(index)) return;
      failures = clock.monotonic() - since > HEALTHY_MS ? 0 : failures + 1;
      const wait = failures < 2 ? 0 : backoffMs(failures - 2, () => 0, { firstMs: 100, maxMs: 5000, jitter: 0 });
      await clock.sleep(wait, signal).catch(() => {});
      if (signal.aborted) return;
      // The socket closes a moment before the interface goes; seen together they would look alive.
      await goneOrServed(index, clock);
      if (failures < 3) log.warn("wireguard-go ended; it is started again", { interface: interfaceName(index) });
      await this.#alone(() => this.#reconcile());
    }
  }

  /** idle: in mode none every call succeeds and does nothing. */
  get #idle(): boolean {
    return this.#options.dataPlane.mode === "none";
  }

  /** alone runs one thing after all that were asked for before it. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** load reads the key once; the file cannot change under a running daemon, which holds DATA. */
  async #load(): Promise<Result<{ readonly key: TunnelKey; readonly machine: RealMachine }>> {
    if (this.#loaded !== null) return ok(this.#loaded);
    const key = await loadTunnelKey(this.#options.dataDir);
    if (!key.ok) return key;
    this.#loaded = { key: key.value, machine: new RealMachine(this.#options) };
    return ok(this.#loaded);
  }

  async #read(): Promise<Result<TunnelState>> {
    if (this.#idle) return ok(emptyState("none", null));
    const loaded = await this.#load();
    if (!loaded.ok) return loaded;
    const { key, machine } = loaded.value;
    const [found, lastEndpoints] = await Promise.all([readState(), machine.lastEndpoints()]);
    if (!found.ok) return found;
    await Promise.all([...found.value.interfaces.keys()].map((index) => trimLog(index, this.#options.dataDir)));
    return ok({ ...found.value, mode: this.#options.dataPlane.mode, publicKey: key, lastEndpoints });
  }

  async #apply(steps: readonly Step[]): Promise<Result<Applied>> {
    if (this.#idle || steps.length === 0) return ok({ faults: [], failed: new Map() });
    const loaded = await this.#load();
    if (!loaded.ok) return loaded;
    const applied = await applySteps(steps, loaded.value.machine);
    const made = steps.filter((step) => step.kind === "create" && !applied.failed.has(step.index)).length;
    if (made > 0) this.made.set(this.made.value + made);
    return ok(applied);
  }

  /** reconcile works on the latest plan, not on the one it was called with: of two that wait, the older is no longer
   *  wanted, and the second finds nothing to do. */
  async #reconcile(): Promise<Result<number>> {
    const want = this.#want;
    if (want === null) return ok(0);
    const indices = interfacesOf(want).map(({ index }) => index);
    // The end of a process that is no longer wanted is no fault: its keeper is told before.
    this.#kept.set(this.#kept.value.filter((index) => indices.includes(index)));
    const done = await this.#round(want);
    if (this.#want === want) this.#kept.set(indices);
    const { troubles } = this.#options;
    if (done.ok) troubles.clear(TROUBLE);
    else {
      const title = "Tunnels or routes could not be set up";
      troubles.set({ code: TROUBLE, severity: "critical", title, subject: "", detail: done.error });
    }
    return done;
  }

  /** round reads, plans and applies; where an interface could not be made, once more without it. */
  async #round(want: TunnelPlan | NodePlan): Promise<Result<number>> {
    const have = await this.#read();
    if (!have.ok) return have;
    const steps = plan(have.value, want);
    const done = await this.#apply(steps);
    if (!done.ok) return done;
    // A group that names a nexthop of a missing interface is refused whole, so the rest is planned without it.
    const { failed } = done.value;
    if (failed.size === 0 || "gateways" in want) return resultOf(steps, done.value);
    const interfaces = want.interfaces.filter(({ index }) => !failed.has(index));
    const rest = await this.#round({ ...want, interfaces });
    return err([...failed.values(), ...(rest.ok ? [] : [rest.error])].join("; "));
  }
}

function interfacesOf(want: TunnelPlan | NodePlan): TunnelPlan["interfaces"] {
  return "gateways" in want ? [] : want.interfaces;
}
