import { randomInt } from "node:crypto";
import { err, formatHostPort, type HostPort, ok, type Result } from "#values";
import type { PacketShare } from "./packet-path.ts";
import type { TcpLimits } from "./tcp-limits.ts";
import type { FromUdpWorker, UdpMode, UdpWorkerData } from "./udp-thread.ts";
import type { WatchShare } from "./watch-share.ts";
import { WorkerThread } from "./worker-thread.ts";
import type { ZoneOptions } from "./zone.ts";
import type { AppliedBatch, FromZoneWorker, ToZoneWorker, ZoneWorkerData } from "./zone-batch.ts";
import { createZoneMemory, HEAD, openZone, type ZoneMemory } from "./zone-memory.ts";

/** Tries to find a port that is free for TCP and UDP, where the kernel chooses it. */
const PORT_TRIES = 20;
/** Heap limits in MiB: the zone itself is outside the heap. A UDP thread allocates nothing per query, and the zone's
 *  thread little that lives, so a small young generation costs no time and saves memory. */
const UDP_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };
const ZONE_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 4 };

export interface GenerationOptions {
  readonly zone: ZoneOptions;
  readonly zoneBytes: number;
  readonly packets: PacketShare;
  readonly tcp: TcpLimits;
  readonly mode: UdpMode | "auto";
  /** Whether listeners stay silent until the zone is complete, or until open is called. */
  readonly hold: boolean;
  readonly counters: SharedArrayBuffer;
  readonly watch: WatchShare | undefined;
  readonly onApplied: (batch: AppliedBatch) => void;
  /** A thread ended or a socket failed: the generation must be stopped. */
  readonly onFault: (why: string) => void;
}

/** Bound is one listener that answers. */
export interface Bound {
  readonly at: HostPort;
  readonly mode: UdpMode;
  /** Why UDP is not served in batches; empty where it is. */
  readonly why: string;
  /** Descriptors, which a successor may share; -1 where there is none to share. */
  readonly udpFd: number;
  readonly tcpFd: number;
}

/** HeldSockets are those of a predecessor in this process: to share them is to take over without losing a query. */
export type HeldSockets = Pick<Bound, "at" | "udpFd" | "tcpFd">;

type Reply = (bound: Result<{ readonly port: number; readonly fd: number }>) => void;

/** Generation is one life of all threads and the zone's memory: a thread that fails ends it, and the next begins
 *  with an empty zone. The thread of the zone has number 0, UDP listeners those behind it. */
export class Generation {
  readonly #o: GenerationOptions;
  readonly #memory: ZoneMemory;
  readonly #zone: WorkerThread<ToZoneWorker>;
  readonly #udp: WorkerThread<"stop">[] = [];
  readonly #waiting = new Map<number, Reply>();

  /** start begins with an empty zone and no listener. */
  static start(options: GenerationOptions): Generation {
    return new Generation(options);
  }

  private constructor(options: GenerationOptions) {
    this.#o = options;
    this.#memory = createZoneMemory(options.zoneBytes, randomInt(2 ** 32) | 0);
    if (!options.hold) openZone(this.#memory);
    const { zone, packets, tcp, counters } = options;
    const shared = { zone: this.#memory.shared, counters, packets, watch: options.watch };
    const data: ZoneWorkerData = { ...shared, thread: 0, options: zone, tcp, seed: seed() };
    this.#zone = WorkerThread.start({
      name: "dns-zone",
      file: new URL("./zone-worker.ts", import.meta.url),
      data,
      limits: ZONE_LIMITS,
      onMessage: (message: FromZoneWorker) => this.#heard(message),
      onEnd: options.onFault,
    });
  }

  /** open lets listeners answer that were held. */
  open(): void {
    openZone(this.#memory);
  }

  /** A figure of the zone's head. */
  figure(name: "names" | "services" | "skipped" | "usedBytes" | "serial"): number {
    return Atomics.load(this.#memory.words, HEAD[name]) >>> 0;
  }

  send(message: ToZoneWorker): void {
    this.#zone.send(message);
  }

  /** listen opens UDP and TCP on one address and port. An error names the address and what is wrong with it. */
  async listen(id: number, listen: HostPort, held?: HeldSockets): Promise<Result<Bound>> {
    for (let left = listen.port === 0 ? PORT_TRIES : 1; ; left--) {
      const both = await this.#listenBoth(id, listen, held);
      if (both.ok || left <= 1) return both;
    }
  }

  /** A given port is opened for both at once; a chosen one is TCP's first, and may then be taken for UDP. */
  async #listenBoth(id: number, listen: HostPort, held?: HeldSockets): Promise<Result<Bound>> {
    const first = this.#listenTcp(id, listen, held?.tcpFd);
    const early = listen.port === 0 ? undefined : this.#listenUdp(id, listen, held?.udpFd);
    const tcp = await first;
    if (!tcp.ok) return err(refusal(listen, "TCP", tcp.error));
    const at = { host: listen.host, port: tcp.value.port };
    const udp = await (early ?? this.#listenUdp(id, at, undefined));
    if (udp.ok) return ok({ ...udp.value, at, tcpFd: tcp.value.fd });
    this.#zone.send({ kind: "unlisten", id });
    return err(refusal(at, "UDP", udp.error));
  }

  /** stop ends all threads; it returns when they are gone and all ports are free. */
  async stop(): Promise<void> {
    Atomics.store(this.#memory.words, HEAD.stop, 1);
    openZone(this.#memory); // a thread that is held would not see the word
    await Promise.all([this.#zone.stop({ kind: "stop" }), ...this.#udp.map((thread) => thread.stop("stop"))]);
    for (const reply of this.#waiting.values()) reply(err("stopped"));
  }

  /** heard takes what the zone's thread says: about batches, or in reply to `listen`. */
  #heard(message: FromZoneWorker): void {
    if (message.kind === "applied") {
      this.#o.onApplied(message);
      return;
    }
    this.#waiting.get(message.id)?.(
      message.kind === "listening" ? ok({ port: message.port, fd: message.fd }) : err(message.code),
    );
    this.#waiting.delete(message.id);
  }

  #listenTcp(
    id: number,
    listen: HostPort,
    adopt: number | undefined,
  ): Promise<Result<{ readonly port: number; readonly fd: number }>> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#zone.send({ kind: "listen", id, listen, adopt });
    });
  }

  /** A UDP listener is a thread. It says once whether it is bound; what it says later is a fault. */
  #listenUdp(
    id: number,
    listen: HostPort,
    adopt: number | undefined,
  ): Promise<Result<Pick<Bound, "mode" | "why" | "udpFd">>> {
    const { zone, packets, counters, mode, onFault } = this.#o;
    const thread = id + 1;
    const data: UdpWorkerData = {
      zone: this.#memory.shared,
      counters,
      thread,
      options: zone,
      packets,
      listen,
      mode,
      seed: seed(),
      watch: this.#o.watch,
      adopt,
    };
    return new Promise((resolve) => {
      let bound = false;
      const heard = (message: FromUdpWorker): void => {
        if (message.kind === "bound") {
          bound = true;
          resolve(ok({ mode: message.mode, why: message.why, udpFd: message.fd }));
        } else if (bound) onFault(`UDP ${formatHostPort(listen)} failed: ${message.code}`);
        else resolve(err(message.code));
      };
      const worker = WorkerThread.start<"stop", FromUdpWorker>({
        name: `dns-udp-${id}`,
        file: new URL("./udp-worker.ts", import.meta.url),
        data,
        limits: UDP_LIMITS,
        onMessage: heard,
        onEnd: (why) => (bound ? onFault(why) : resolve(err(why))),
      });
      this.#udp.push(worker);
    });
  }
}

/** A start for the order of addresses, different in each thread. */
function seed(): number {
  return randomInt(2 ** 31);
}

/** What the usual codes mean for a person who set an address. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken by another program",
  EADDRNOTAVAIL: "the address is not one of this host",
  EACCES: "a port below 1024 needs CAP_NET_BIND_SERVICE",
};

/** refusal is one line for a trouble: which address, which transport, why. */
function refusal(at: HostPort, transport: string, code: string): string {
  const reason = REASONS[code];
  return `cannot listen on ${formatHostPort(at)} (${transport}): ${reason === undefined ? code : `${reason} (${code})`}`;
}

/** isSamePlace reports whether sockets are to be had for an address; a descriptor of -1 is none to share. */
export function isSamePlace({ at, udpFd, tcpFd }: HeldSockets, listen: HostPort): boolean {
  return udpFd >= 0 && tcpFd >= 0 && at.host === listen.host && at.port === listen.port;
}
