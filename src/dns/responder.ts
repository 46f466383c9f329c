import { backoffMs, type Clock, isAbort, type Log, type Room, type Troubles } from "#life";
import { err, formatHostPort, type HostPort, ok, type Result } from "#values";
import { type CounterSums, counterMemory, sumCounters } from "./counters.ts";
import { type Bound, Generation } from "./generation.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./tcp-limits.ts";
import type { UdpMode } from "./udp-thread.ts";
import type { ZoneChange, ZoneOptions } from "./zone.ts";
import { ZoneFeed } from "./zone-feed.ts";
import { MAX_READERS } from "./zone-memory.ts";

export interface ResponderOptions {
  /** Each is served by UDP and TCP; port 0 asks for a free one. */
  readonly listen: readonly HostPort[];
  readonly zone: ZoneOptions;
  readonly log: Log;
  readonly clock: Clock;
  readonly troubles: Troubles;
  /** 0 to 1, for waits between restarts. */
  readonly random?: () => number;
  /** `auto` (default) takes batches by FFI where they load, else Node's sockets. */
  readonly mode?: UdpMode | "auto";
  readonly tcp?: Partial<TcpLimits>;
  /** Address space for the zone, in bytes (default 512 MiB); only what the zone needs is ever touched. */
  readonly zoneBytes?: number;
}

/** ResponderStats is read at any time, without a message to any thread. */
export interface ResponderStats extends CounterSums {
  readonly zone: {
    readonly serial: number;
    readonly services: number;
    readonly names: number;
    readonly usedBytes: number;
  };
  /** How UDP is served; `dgram` if any listener is; undefined before the start. */
  readonly mode: UdpMode | undefined;
  /** How often all threads were started again after a fault. */
  readonly restarts: number;
}

export interface Responder extends Room {
  /** update changes the zone: soon, in order, each service as a whole. */
  update(changes: readonly ZoneChange[]): void;
  /** applied resolves when every listener answers with all updates given so far. */
  applied(): Promise<void>;
  stats(): ResponderStats;
  /** The real addresses, once started. */
  readonly bound: readonly HostPort[];
  /** started resolves when all listeners answer, or with what is wrong with them; then run has thrown the same. */
  readonly started: Promise<Result<readonly HostPort[]>>;
}

/** Batches under way to the zone's thread: enough to keep it busy, few enough that newer changes replace older. */
const WINDOW = 2;

/** createResponder makes the authoritative responder of a zone; nothing happens until it runs. */
export function createResponder(options: ResponderOptions): Responder {
  if (options.listen.length === 0 || options.listen.length >= MAX_READERS) {
    throw new RangeError(`1 to ${MAX_READERS - 1} addresses to listen on, not ${options.listen.length}`);
  }
  return new ZoneResponder(options);
}

class ZoneResponder implements Responder {
  readonly name = "dns";
  readonly started: Promise<Result<readonly HostPort[]>>;
  readonly #o: ResponderOptions;
  readonly #feed = new ZoneFeed();
  readonly #counters: SharedArrayBuffer;
  readonly #waiters: { readonly revision: number; readonly resolve: () => void }[] = [];
  /** Batches sent and not yet applied: sequence to the update that is then complete. */
  readonly #under = new Map<number, number>();
  #start: (result: Result<readonly HostPort[]>) => void = () => {};
  #generation: Generation | undefined;
  #bound: readonly Bound[] = [];
  #sequence = 0;
  #serial = 0;
  #appliedUpTo = 0;
  #restarts = 0;
  #pumping = false;

  constructor(options: ResponderOptions) {
    this.#o = options;
    this.#counters = counterMemory(options.listen.length + 1);
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
  }

  get bound(): readonly HostPort[] {
    return this.#bound.map(({ at }) => at);
  }

  update(changes: readonly ZoneChange[]): void {
    if (changes.length === 0) return;
    this.#feed.note(changes);
    this.#serial = Math.max(this.#serial, Math.floor(this.#o.clock.now() / 1000));
    this.#pump();
  }

  applied(): Promise<void> {
    const { revision } = this.#feed;
    if (this.#appliedUpTo >= revision) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  stats(): ResponderStats {
    const figure = (name: Parameters<Generation["figure"]>[0]): number => this.#generation?.figure(name) ?? 0;
    const modes = this.#bound.map(({ mode }) => mode);
    return {
      ...sumCounters(this.#counters),
      zone: {
        serial: figure("serial"),
        services: figure("services"),
        names: figure("names"),
        usedBytes: figure("usedBytes"),
      },
      mode: modes.includes("dgram") ? "dgram" : modes[0],
      restarts: this.#restarts,
    };
  }

  /** run serves until the signal aborts. It throws when an address cannot be had at the start: another program has
   *  it, and a responder that answers somewhere else helps nobody. Later faults are troubles, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const fault = await this.#live(signal, failures);
      if (fault === undefined) break;
      this.#restarts++;
      this.#trouble("dns-down", "The DNS responder has stopped and is started again", fault);
      const wait = backoffMs(failures, this.#o.random ?? (() => 0), { firstMs: 100, maxMs: 5000 });
      await this.#o.clock.sleep(wait, signal).catch((reason: unknown) => {
        if (!isAbort(reason)) throw reason;
      });
    }
    this.#start(err("stopped before it started"));
  }

  /** live is one generation: undefined when the signal ended it, otherwise what went wrong. */
  async #live(signal: AbortSignal, failures: number): Promise<string | undefined> {
    const fault = Promise.withResolvers<string | undefined>();
    const stop = (): void => fault.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    const generation = this.#begin(fault.resolve);
    try {
      const bound = await Promise.race([this.#listen(generation), fault.promise]);
      if (bound === undefined || typeof bound === "string") return bound;
      if (!bound.ok) {
        if (failures > 0) return bound.error;
        this.#start(bound);
        this.#trouble("dns-listen", "The DNS responder cannot listen", bound.error);
        throw new Error(bound.error);
      }
      this.#serving(bound.value);
      return await fault.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#generation = undefined;
      await generation.stop();
    }
  }

  #begin(onFault: (why: string) => void): Generation {
    const { zone, zoneBytes = 512 << 20, tcp, mode = "auto" } = this.#o;
    const generation = new Generation({
      zone,
      zoneBytes,
      mode,
      tcp: { ...DEFAULT_TCP_LIMITS, ...tcp },
      counters: this.#counters,
      onFault,
      onApplied: (sequence, fault) => this.#onApplied(sequence, fault),
    });
    this.#generation = generation;
    this.#under.clear();
    this.#feed.again();
    this.#pump();
    return generation;
  }

  /** Ports that were found once are kept over restarts. */
  async #listen(generation: Generation): Promise<Result<readonly Bound[]>> {
    const bound: Bound[] = [];
    for (const [id, listen] of this.#o.listen.entries()) {
      const result = await generation.listen(id, this.#bound[id]?.at ?? listen);
      if (!result.ok) return result;
      bound.push(result.value);
    }
    return ok(bound);
  }

  #serving(bound: readonly Bound[]): void {
    this.#bound = bound;
    for (const { at, mode, why } of bound) {
      this.#o.log.info("dns listens", { address: formatHostPort(at), mode });
      if (mode === "dgram") this.#o.log.warn("dns serves UDP without batches: more CPU per query", { why });
    }
    this.#o.troubles.clear("dns-down");
    this.#start(ok(this.bound));
  }

  #trouble(code: string, title: string, detail: string): void {
    this.#o.troubles.set({ code, severity: "critical", title, subject: "", detail });
  }

  /** pump sends what waits, a batch per turn of the event loop, so that a large update delays nobody. */
  #pump(): void {
    if (this.#pumping || this.#generation === undefined) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const generation = this.#generation;
      if (generation === undefined || this.#under.size >= WINDOW) return;
      const next = this.#feed.take(++this.#sequence, this.#serial);
      if (next === undefined) return;
      this.#under.set(next.batch.sequence, next.upTo);
      generation.send(next.batch);
      this.#pump();
    });
  }

  #onApplied(sequence: number, fault: string | undefined): void {
    const upTo = this.#under.get(sequence);
    if (upTo === undefined) return;
    this.#under.delete(sequence);
    this.#appliedUpTo = Math.max(this.#appliedUpTo, upTo);
    if (fault === undefined) this.#o.troubles.clear("dns-zone");
    else this.#trouble("dns-zone", "A name could not be changed and answers as before", fault);
    const ready = this.#waiters.filter(({ revision }) => revision <= this.#appliedUpTo);
    this.#waiters.splice(0, this.#waiters.length, ...this.#waiters.filter((waiter) => !ready.includes(waiter)));
    for (const { resolve } of ready) resolve();
    this.#pump();
  }
}
