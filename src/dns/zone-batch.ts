import type { Cidr, HostPort } from "#values";
import type { PacketShare } from "./packet-path.ts";
import type { TcpLimits } from "./tcp-limits.ts";
import type { WatchShare } from "./watch-share.ts";
import type { ZoneOptions } from "./zone.ts";

/** ZoneBatch is some changes of the zone on their way to its writer. */
export interface ZoneBatch {
  readonly kind: "batch";
  readonly sequence: number;
  /** SOA serial from now on: seconds since 1970 (RFC 1912 section 2.2 allows any that grows). */
  readonly serial: number;
  /** JSON of ZoneService[]: the sender's thread spends a third of what a structured clone costs. */
  readonly services: string;
  readonly removed: readonly { readonly namespace: string; readonly name: string }[];
  /** Networks with PTR records from now on; before everything else in the batch. */
  readonly reverse?: readonly Cidr[];
  readonly namespaces?: readonly string[];
  readonly synced?: boolean;
}

export type ToZoneWorker =
  | ZoneBatch
  | { readonly kind: "listen"; readonly id: number; readonly listen: HostPort; readonly adopt: number | undefined }
  | { readonly kind: "unlisten"; readonly id: number }
  | { readonly kind: "stop" };

/** AppliedBatch says that every listener answers with a batch. */
export interface AppliedBatch {
  readonly sequence: number;
  /** A service that could not be changed and answers as before. */
  readonly fault: string | undefined;
  /** Names that cannot be encoded, in words; empty where there are none in the zone. */
  readonly skipped: string;
}

export type FromZoneWorker =
  | ({ readonly kind: "applied" } & AppliedBatch)
  | { readonly kind: "listening"; readonly id: number; readonly port: number; readonly fd: number }
  | { readonly kind: "failed"; readonly id: number; readonly code: string };

/** ZoneWorkerData starts the thread that writes the zone and serves TCP. */
export interface ZoneWorkerData {
  readonly zone: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** Number of this thread among the counters. */
  readonly thread: number;
  readonly options: ZoneOptions;
  readonly packets: PacketShare;
  readonly tcp: TcpLimits;
  readonly seed: number;
  readonly watch: WatchShare | undefined;
}
