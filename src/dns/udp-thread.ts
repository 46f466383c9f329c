import type { HostPort } from "#values";
import type { PacketShare } from "./packet-path.ts";
import type { WatchShare } from "./watch-share.ts";
import type { ZoneOptions } from "./zone.ts";

/** UdpMode is how UDP is served: batched system calls by FFI, or Node's own sockets. */
export type UdpMode = "ffi" | "dgram";

/** UdpWorkerData starts the thread of one UDP listener. */
export interface UdpWorkerData {
  readonly zone: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** Number of this thread, among the zone's readers and among the counters. */
  readonly thread: number;
  readonly options: ZoneOptions;
  readonly packets: PacketShare;
  readonly listen: HostPort;
  readonly mode: UdpMode | "auto";
  /** Starts the order of addresses. */
  readonly seed: number;
  readonly watch: WatchShare | undefined;
  /** Descriptor of a bound socket of this process to share; undefined: it opens one. */
  readonly adopt: number | undefined;
}

/** FromUdpWorker: `bound` once, when the listener answers; `failed` with an error code instead, or later. `why` is
 *  why UDP is not served in batches, empty where it is. */
export type FromUdpWorker =
  | { readonly kind: "bound"; readonly port: number; readonly mode: UdpMode; readonly why: string; readonly fd: number }
  | { readonly kind: "failed"; readonly code: string };
