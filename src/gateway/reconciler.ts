import type { Responder, ZoneChange } from "#dns";
import { EntryTable, type Globalnet, WITHDRAW_MS } from "#globalnet";
import { type Clock, describeFault, Latest, type Log, type Room, slices, type Troubles, wakeOrAfter } from "#life";
import type { Tunnels } from "#tunnel";
import type { ClusterId, Ip } from "#values";
import type { CompiledNetwork } from "./compile-network.ts";
import { type CompiledService, portsOn, type ServedService, servedOf } from "./compile-service.ts";
import { Counted } from "./counted.ts";

export interface ReconcilerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  /** Null without a data plane: then only names are served. */
  readonly plane: { readonly tunnels: Tunnels; readonly globalnet: Globalnet } | null;
  readonly responder: Pick<Responder, "update">;
  /** probe has the ways of a network measured. */
  readonly probe: (network: CompiledNetwork) => void;
  readonly network: () => Promise<CompiledNetwork | undefined>;
  /** networkAgain is the same without a look at the machine. */
  readonly networkAgain: () => CompiledNetwork | undefined;
  /** compiler gives what compiles the services of one pass; `last` are the members that answered until now. */
  readonly compiler: () => (key: string, last: readonly ClusterId[]) => CompiledService | "later" | undefined;
  /** mayAnnounce is "later" while nothing of a new service could be reached yet: it is asked again now and then; and "told"
   *  where whoever holds it back marks it when it may go. */
  readonly mayAnnounce: (service: CompiledService) => "now" | "later" | "told";
}

/** Most services compiled and applied at a time: the first of many names answer while the last are still compiled. */
const PASS = 500;
const DRIFT_MS = 30_000;
const RETRY_MS = 1000;

/** Reconciler makes the machine and the zone what the compiled view says, in one order: guard, tunnels, routes,
 *  translation, service table, then the zone, since a name is announced when it works. What goes leaves in the opposite
 *  order: out of the zone at once, out of the service table WITHDRAW_MS later, when no resolver remembers it. */
export class Reconciler implements Room {
  readonly name = "reconciler";
  readonly #parts: ReconcilerParts;
  readonly #served = new Map<string, ServedService>();
  readonly #announced = new Set<string>();
  readonly #table: EntryTable;
  readonly #held = new Set<string>();
  /** Own pods that are endpoints, and ports of this host that are. */
  readonly #hairpin = new Counted<Ip>();
  readonly #hostPorts = new Counted<string>();
  readonly #dirty = new Set<string>();
  readonly #wake = new Latest(0);
  #networkDirty = true;
  #network: CompiledNetwork | undefined;
  readonly #passes = new Latest(0);
  #passing = false;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#table = new EntryTable(parts.clock, WITHDRAW_MS);
  }

  /** served is every service that was compiled, announced or not. */
  get served(): ReadonlyMap<string, ServedService> {
    return this.#served;
  }

  get network(): CompiledNetwork | undefined {
    return this.#network;
  }

  /** passes that ended without a fault: readiness asks for the first. */
  get passes(): number {
    return this.#passes.value;
  }

  /** Whether all that was known by now is in force, except names that are held back. */
  get settled(): boolean {
    if (this.passes === 0 || this.#networkDirty || this.#passing) return false;
    return this.#dirty.size <= this.#held.size && [...this.#dirty].every((key) => this.#held.has(key));
  }

  /** hostPorts are the ports of the member's nodes that exports open, as compiled services have them. */
  get hostPorts(): readonly string[] {
    return this.#hostPorts.sorted();
  }

  announced(key: string): boolean {
    return this.#announced.has(key);
  }

  markNetwork(): void {
    this.#networkDirty = true;
    this.#wake.set(this.#wake.value + 1);
  }

  /** applied resolves once a pass that began after the call has ended without a fault. */
  async applied(): Promise<void> {
    this.markNetwork();
    const wanted = this.passes + (this.#passing ? 2 : 1); // the one under way has looked already
    while (this.passes < wanted) await this.#passes.changed();
  }

  /** steer takes flows off ways that went down, ahead of the pass that follows. */
  steer(): void {
    const next = this.#network === undefined ? undefined : this.#parts.networkAgain();
    if (next !== undefined) void this.#parts.plane?.tunnels.steer(next.tunnels);
  }

  markServices(keys: Iterable<string>): void {
    const before = this.#dirty.size;
    for (const key of keys) this.#dirty.add(key);
    if (this.#dirty.size > before) this.#wake.set(this.#wake.value + 1);
  }

  /** markHeld looks again at services that were not announced yet. */
  markHeld(): void {
    this.markServices(this.#held);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, troubles } = this.#parts;
    let looked = clock.monotonic();
    while (!signal.aborted) {
      const woken = this.#wake.changed();
      let fault: string | undefined;
      try {
        if (clock.monotonic() - looked > DRIFT_MS) {
          looked = clock.monotonic();
          this.#parts.plane?.globalnet.forget();
          this.#networkDirty = true;
        }
        this.#passing = true;
        fault = await this.#pass(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#networkDirty = true;
        fault = String(error);
        log.error("reconciling failed", { error: fault, stack: (error as Error).stack });
      }
      this.#passing = false;
      const title = "The machine is not as it should be";
      if (fault === undefined) troubles.clear("reconcile-failed");
      else troubles.set({ code: "reconcile-failed", severity: "critical", title, subject: "", detail: fault });
      if (fault === undefined && (this.#dirty.size > 0 || this.#networkDirty)) continue;
      const wait = fault !== undefined ? RETRY_MS : this.#untilNext();
      await wakeOrAfter(fault === undefined ? woken : new Promise(() => {}), clock, wait, signal);
    }
  }

  /** How long until something has to be taken out of the table, or the machine is looked at again. */
  #untilNext(): number {
    const now = this.#parts.clock.monotonic();
    return Math.max(50, Math.min(this.#table.nextAt() - now, DRIFT_MS) + 5);
  }

  /** One pass: the network if it changed, then some of the services that did. Gives the first fault. */
  async #pass(signal: AbortSignal): Promise<string | undefined> {
    let fault: string | undefined;
    if (this.#networkDirty) {
      this.#networkDirty = false;
      // What was granted once stays up, also when it is taken back: only a leave takes the machine down.
      this.#network = (await this.#parts.network()) ?? this.#network;
      this.markHeld();
      fault = await this.#applyTunnels();
    }
    // A tunnel that cannot be made holds up no name: what only it would reach is not announced.
    if (fault !== undefined) this.#networkDirty = true;
    const changed = await this.#compile(signal);
    this.#parts.responder.update(changed.gone);
    this.#table.expire();
    const tableFault = await this.#applyTable(signal);
    if (tableFault !== undefined) {
      for (const { key } of changed.ready) this.#dirty.add(key);
      return fault ?? tableFault;
    }
    this.#announce(changed.ready);
    if (fault === undefined) this.#passes.set(this.passes + 1);
    return fault;
  }

  async #applyTunnels(): Promise<string | undefined> {
    const { plane, probe } = this.#parts;
    if (this.#network === undefined || plane === null) return undefined;
    const guarded = await plane.globalnet.guard(this.#network.globalnet);
    if (!guarded.ok) return describeFault(guarded.error);
    const applied = await plane.tunnels.reconcile(this.#network.tunnels);
    probe(this.#network);
    return applied.ok ? undefined : applied.error;
  }

  /** Compiles up to PASS services; what nobody exports any more leaves the zone first. */
  async #compile(signal: AbortSignal): Promise<{ ready: readonly CompiledService[]; gone: readonly ZoneChange[] }> {
    const keys: string[] = [];
    // The first pass takes all: what the machine has of before a restart is compared with it, and goes where it is not.
    const most = this.passes === 0 ? Number.POSITIVE_INFINITY : PASS;
    for (const key of this.#dirty) if (keys.push(key) === most) break;
    const gone: ZoneChange[] = [];
    const ready: CompiledService[] = [];
    const compile = this.#parts.compiler();
    await slices(
      keys,
      (key) => {
        this.#dirty.delete(key);
        const next = compile(key, this.#served.get(key)?.serving ?? []);
        if (next === "later") this.#held.add(key);
        else if (next === undefined) gone.push(...this.#withdraw(key));
        else {
          this.#adopt(next);
          ready.push(next);
        }
      },
      { signal },
    );
    return { ready, gone };
  }

  #withdraw(key: string): readonly ZoneChange[] {
    const before = this.#served.get(key);
    this.#served.delete(key);
    this.#held.delete(key);
    if (before === undefined) return [];
    this.#forget(before);
    this.#table.retire(before.tableKeys);
    if (!this.#announced.delete(key)) return [];
    return [{ kind: "remove", namespace: before.namespace, name: before.name }];
  }

  #adopt(compiled: CompiledService): void {
    const next = servedOf(compiled);
    const before = this.#served.get(next.key);
    this.#served.set(next.key, next);
    if (before !== undefined) this.#forget(before);
    this.#hairpin.put(next.hairpin);
    this.#hostPorts.put(next.hostPorts);
    if (before !== undefined) this.#table.retire(before.tableKeys.filter((key) => !next.tableKeys.includes(key)));
    compiled.table.forEach((entry, at) => {
      this.#table.put(next.tableKeys[at] ?? "", entry);
    });
  }

  #forget({ hairpin, hostPorts }: ServedService): void {
    this.#hairpin.take(hairpin);
    this.#hostPorts.take(hostPorts);
  }

  async #applyTable(signal: AbortSignal): Promise<string | undefined> {
    const { plane } = this.#parts;
    if (this.#network === undefined || plane === null) return undefined;
    const hostPorts = portsOn(this.#network.globalnet.node.local, this.hostPorts);
    const plan = { ...this.#network.globalnet, hairpin: this.#hairpin.sorted(), hostPorts };
    const changed = this.#table.takeChanged();
    const want = { plan, services: this.#table.entries, ...(changed === undefined ? {} : { changed }) };
    const applied = await plane.globalnet.reconcile(want, signal);
    return applied.ok ? undefined : describeFault(applied.error);
  }

  #announce(ready: readonly CompiledService[]): void {
    const changes: ZoneChange[] = [];
    for (const service of ready) {
      const when = this.#announced.has(service.key) ? "now" : this.#parts.mayAnnounce(service);
      if (when === "later") this.#held.add(service.key);
      else this.#held.delete(service.key);
      if (when !== "now") continue;
      this.#announced.add(service.key);
      changes.push({ kind: "service", service: service.zone });
    }
    if (changes.length > 0) this.#parts.responder.update(changes);
  }
}
