import { backoffMs, type Clock, isAbort, type Log, type Troubles } from "#life";
import { err, formatHostPort, type HostPort, ok, type Result } from "#values";
import { counterMemory, sumCounters } from "./counters.ts";
import { type Bound, Generation, type HeldSockets, isSamePlace } from "./generation.ts";
import { type PacketOptions, packetPolicy } from "./packet-options.ts";
import type { PacketShare } from "./packet-path.ts";
import { createPacketShare, rotateSecrets } from "./packet-share.ts";
import type { Responder, ResponderStats } from "./responder-stats.ts";
import { SerialClock, type SerialFloor } from "./serial-clock.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./tcp-limits.ts";
import type { UdpMode } from "./udp-thread.ts";
import type { WatchShare } from "./watch-share.ts";
import { type ZoneChange, type ZoneOptions, zoneShape } from "./zone.ts";
import type { AppliedBatch } from "./zone-batch.ts";
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
  /** Listeners stay silent until the sources were read once, or until so many milliseconds after they are open: what
   *  arrives meanwhile waits in the kernel. Without it they answer at once, unknown names by SERVFAIL. */
  readonly holdMs?: number;
  /** Keeps the SOA's serial from going back over restarts. Without it the clock alone does, as long as it is right. */
  readonly serial?: SerialFloor;
  /** Access list, counts for CoreDNS's metrics, and queries for the log: for as many listeners and origins as here. */
  readonly watch?: WatchShare;
  /** Sockets of a responder of this process to share, so that one may follow the other without losing a query. */
  readonly adopt?: readonly HeldSockets[];
  /** Cookies, limits, and what else concerns messages rather than names. */
  readonly packets?: Partial<PacketOptions>;
  /** Address space for the zone, in bytes (default 256 MiB: about 500,000 services). Only what the zone needs is ever
   *  touched. */
  readonly zoneBytes?: number;
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
  readonly #serial: SerialClock;
  #appliedUpTo = 0;
  #restarts = 0;
  /** Generations that came to serve. */
  #lives = 0;
  #pumping = false;

  constructor(options: ResponderOptions) {
    this.#o = options;
    this.#serial = new SerialClock(options.clock, options.serial);
    this.#counters = counterMemory(options.listen.length + 1);
    this.#packets = createPacketShare(packetPolicy(options.packets));
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
  }

  get bound(): readonly HostPort[] {
    return this.#bound.map(({ at }) => at);
  }

  sockets(): readonly HeldSockets[] {
    return this.#bound;
  }

  update(changes: readonly ZoneChange[]): void {
    if (changes.length === 0) return;
    this.#feed.note(changes);
    this.#serial.advance();
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
        skippedNames: figure("skipped"),
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
      if (this.#o.holdMs !== undefined) this.#hold(generation, this.#o.holdMs);
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
      watch: this.#o.watch,
      hold: this.#o.holdMs !== undefined,
      packets: this.#packets,
      tcp: { ...DEFAULT_TCP_LIMITS, ...tcp },
      counters: this.#counters,
      onFault,
      onApplied: (batch) => this.#onApplied(batch),
    });
    this.#generation = generation;
    this.#under.clear();
    this.#feed.again();
    this.#serial.advance();
    this.#pump();
    return generation;
  }

  /** The zone's thread opens the listeners when its zone is complete; this is for sources that take too long. It counts
   *  from when there is a zone at all: before that, every name would be refused. */
  #hold(generation: Generation, holdMs: number): void {
    setTimeout(() => generation.open(), holdMs).unref();
  }

  /** Ports that were found once are kept over restarts. */
  async #listen(generation: Generation): Promise<Result<readonly Bound[]>> {
    const bound: Bound[] = [];
    for (const [id, listen] of this.#o.listen.entries()) {
      const at = this.#bound[id]?.at ?? listen;
      const held = this.#lives > 0 ? undefined : this.#o.adopt?.find((one) => isSamePlace(one, at));
      const result = await generation.listen(id, at, held);
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

  /** What DNS cannot say is nobody's fault here, and fails nothing else; whoever named it should know. */
  #tellSkipped(detail: string): void {
    const title = "Names cannot be encoded and are left out";
    if (detail === "") this.#o.troubles.clear("dns-skipped");
    else this.#o.troubles.set({ code: "dns-skipped", severity: "warning", title, subject: "", detail });
  }

  /** pump sends what waits, a batch per turn of the event loop, so that a large update delays nobody. */
  #pump(): void {
    if (this.#pumping || this.#generation === undefined) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const generation = this.#generation;
      if (generation === undefined || this.#under.size >= WINDOW) return;
      const next = this.#feed.take(++this.#sequence, this.#serial.value);
      if (next === undefined) return;
      this.#under.set(next.batch.sequence, next.upTo);
      generation.send(next.batch);
      this.#pump();
    });
  }

  /** A batch of an earlier generation is not known any more, and does not count. */
  #onApplied({ sequence, fault, skipped }: AppliedBatch): void {
    const upTo = this.#under.get(sequence);
    if (upTo === undefined) return;
    this.#under.delete(sequence);
    this.#appliedUpTo = Math.max(this.#appliedUpTo, upTo);
    if (fault === undefined) this.#o.troubles.clear("dns-zone");
    else this.#trouble("dns-zone", "A name could not be changed and answers as before", fault);
    this.#tellSkipped(skipped);
    const ready = this.#waiters.filter(({ revision }) => revision <= this.#appliedUpTo);
    this.#waiters.splice(0, this.#waiters.length, ...this.#waiters.filter((waiter) => !ready.includes(waiter)));
    for (const { resolve } of ready) resolve();
    this.#pump();
  }
}
