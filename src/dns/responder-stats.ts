import type { Room } from "#life";
import type { HostPort, Result } from "#values";
import type { CounterSums } from "./counters.ts";
import type { HeldSockets } from "./generation.ts";
import type { UdpMode } from "./udp-thread.ts";
import type { ZoneChange } from "./zone.ts";

/** ResponderStats is read at any time, without a message to any thread. */
export interface ResponderStats extends CounterSums {
  readonly zone: {
    readonly serial: number;
    readonly services: number;
    readonly names: number;
    /** Names left out because they cannot be encoded. */
    readonly skippedNames: number;
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
  /** What a successor may share. */
  sockets(): readonly HeldSockets[];
  /** The real addresses, once started. */
  readonly bound: readonly HostPort[];
  /** started resolves when all listeners answer, or with what is wrong with them; then run has thrown the same. */
  readonly started: Promise<Result<readonly HostPort[]>>;
}
