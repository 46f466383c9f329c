import { backoffMs, type Clock, isAbort, type Log, type Room, type Troubles } from "#life";
import { err, formatHostPort, type HostPort, ok, type Result } from "#values";
import { type CounterSums, counterMemory, sumCounters } from "./counters.ts";
import { type Bound, Generation } from "./generation.ts";
import { type PacketOptions, packetPolicy } from "./packet-options.ts";
import type { PacketShare } from "./packet-path.ts";
import { createPacketShare, rotateSecrets } from "./packet-share.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./tcp-limits.ts";
import type { UdpMode } from "./udp-thread.ts";
import { type ZoneChange, type ZoneOptions, zoneShape } from "./zone.ts";
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
  /** Cookies, limits, and what else concerns messages rather than names. */
  readonly packets?: Partial<PacketOptions>;
  /** Address space for the zone, in bytes (default 256 MiB: about 500,000 services). Only what the zone needs is ever
   *  touched. */
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
const DEFAULT_ZONE_BYTES = 256 << 20;
const MIN_ZONE_BYTES = 64 << 10;
/** Places in the zone are 31-bit numbers. */
const MAX_ZONE_BYTES = 2 ** 31 - 16;

/** createResponder makes the authoritative responder of a zone; nothing happens until it runs. */
export function createResponder(options: ResponderOptions): Responder {
  if (options.listen.length === 0 || options.listen.length >= MAX_READERS) {
    throw new RangeError(`1 to ${MAX_READERS - 1} addresses to listen on, not ${options.listen.length}`);
  }
  const { zoneBytes = DEFAULT_ZONE_BYTES } = options;
  if (!(zoneBytes >= MIN_ZONE_BYTES && zoneBytes <= MAX_ZONE_BYTES)) {
    throw new RangeError(`zoneBytes must be ${MIN_ZONE_BYTES} to ${MAX_ZONE_BYTES}: current value is ${zoneBytes}`);
  }
  zoneShape(options.zone); // throws where it cannot be served
  return new ZoneResponder(options);
}

/** The parts, and what passes between them:
 *
 *    main thread          zone thread (1)                      UDP threads (1 per address)
 *    ZoneFeed ──batches─> ZoneBuilder ──shared memory────────> Answerer in a blocking loop
 *       <──applied──────  TcpServer + Answerer <──same memory──┘
 *
 *  The main thread only posts plain text. The zone thread writes the zone and serves TCP from it. A UDP thread is told
 *  nothing at all: it reads the zone that is there when a query comes. Stats are read from shared counters. */
class ZoneResponder implements Responder {
  readonly name = "dns";
  readonly started: Promise<Result<readonly HostPort[]>>;
  readonly #o: ResponderOptions;
  readonly #feed = new ZoneFeed();
  readonly #counters: SharedArrayBuffer;
  readonly #packets: PacketShare;
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
  /** Generations that came to serve. */
  #lives = 0;
  #pumping = false;

  constructor(options: ResponderOptions) {
    this.#o = options;
    this.#counters = counterMemory(options.listen.length + 1);
    this.#packets = createPacketShare(packetPolicy(options.packets));
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
    this.#advance();
    this.#pump();
  }

  /** The serial is the time of the last change (as CoreDNS has it), and never goes back with the clock. */
  #advance(): void {
    this.#serial = Math.max(this.#serial, Math.floor(this.#o.clock.now() / 1000));
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

  /** run serves until the signal aborts. It throws when it cannot start: another program has the address, and a
   *  responder that answers somewhere else helps nobody. Later faults are troubles, and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const rotating = rotateSecrets(this.#packets, this.#o.clock, AbortSignal.any([signal, ended.signal]));
    try {
      await this.#serve(signal);
    } finally {
      ended.abort();
      await rotating;
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const before = this.#lives;
      const fault = await this.#live(signal);
      if (fault === undefined) break;
      if (this.#lives === 0) this.#refuse(fault);
      this.#restarts++;
      failures = this.#lives > before ? 0 : failures + 1;
      this.#trouble("dns-down", "The DNS responder has stopped and is started again", fault);
      await this.#pause(failures, signal);
    }
    this.#start(err("stopped before it started"));
  }

  #refuse(fault: string): never {
    this.#start(err(fault));
    this.#trouble("dns-listen", "The DNS responder cannot listen", fault);
    throw new Error(fault);
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const wait = backoffMs(failures, this.#o.random ?? (() => 0), { firstMs: 100, maxMs: 5000 });
    await this.#o.clock.sleep(wait, signal).catch((reason: unknown) => {
      if (!isAbort(reason)) throw reason;
    });
  }

  /** live is one generation: undefined when the signal ended it, otherwise what went wrong. */
  async #live(signal: AbortSignal): Promise<string | undefined> {
    const fault = Promise.withResolvers<string | undefined>();
    const stop = (): void => fault.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    const generation = this.#begin(fault.resolve);
    try {
      const bound = await Promise.race([this.#listen(generation), fault.promise]);
      if (bound === undefined || typeof bound === "string") return bound;
      if (!bound.ok) return bound.error;
      this.#serving(bound.value);
      return await fault.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#generation = undefined;
      await generation.stop();
    }
  }

  /** begin starts a generation and gives it everything: its zone is empty. */
  #begin(onFault: (why: string) => void): Generation {
    const { zone, zoneBytes = DEFAULT_ZONE_BYTES, tcp, mode = "auto" } = this.#o;
    const generation = Generation.start({
      zone,
      zoneBytes,
      mode,
      packets: this.#packets,
      tcp: { ...DEFAULT_TCP_LIMITS, ...tcp },
      counters: this.#counters,
      onFault,
      onApplied: (sequence, fault) => this.#onApplied(sequence, fault),
    });
    this.#generation = generation;
    this.#under.clear();
    this.#feed.again();
    this.#advance();
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
    this.#lives++;
    for (const { at, mode, why } of bound) {
      this.#o.log.info("dns listens", { address: formatHostPort(at), mode });
      if (mode === "dgram") this.#o.log.warn("dns serves UDP without batches: more CPU per query", { why });
    }
    this.#o.troubles.clear("dns-down");
    this.#start(ok(this.bound));
  }

  /** All of these mean that names are not answered as they should be. */
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

  /** A batch of an earlier generation is not known any more, and does not count. */
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
