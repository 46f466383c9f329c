import type { Responder } from "#dns";
import type { Globalnet } from "#globalnet";
import type { ManifestSource } from "#kube";
import type { Clock, Log, LoopDelay, Room, Troubles } from "#life";
import type { SessionState, SyncClient } from "#sync";
import type { DataPlane, Tunnels } from "#tunnel";
import type { Cidr, ClusterId, Ip } from "#values";
import type { Announcer } from "./announcer.ts";
import type { Cache } from "./cache.ts";
import type { Follower } from "./follower.ts";
import type { KubernetesSide } from "./kubernetes-side.ts";
import type { Machine } from "./machine.ts";
import type { MemberVerdicts } from "./member-verdicts.ts";
import type { Membership } from "./membership.ts";
import type { GatewayOptions } from "./options.ts";
import type { ProberSlot } from "./prober-slot.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Speaker } from "./speaker.ts";

/** Gateway is the daemon's parts, for those that show it or change it as a whole: status, explain, bench, leave. */
export interface Gateway {
  readonly options: GatewayOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly membership: Membership;
  readonly cache: Cache;
  readonly follower: Follower;
  readonly client: SyncClient;
  readonly source: ManifestSource | null;
  /** Null where exports are read from a folder, or from nowhere. */
  readonly kubernetes: KubernetesSide | null;
  readonly speaker: Speaker;
  readonly announcer: Announcer;
  readonly responder: Responder;
  readonly prober: ProberSlot;
  readonly verdicts: MemberVerdicts;
  readonly reconciler: Reconciler;
  readonly dataPlane: DataPlane;
  readonly plane: { readonly tunnels: Tunnels & Room; readonly globalnet: Globalnet } | null;
  readonly loop: LoopDelay;
  readonly session: SessionFacts;
}

/** SessionFacts is what the session last said; it outlives the session. */
export interface SessionFacts {
  state: SessionState;
  url: string | null;
  /** Monotonic time at which the last word of the broker was heard, by an earlier daemon perhaps; null before the first. */
  heardAt: number | null;
  supernets: readonly Cidr[];
  seen: Ip | null;
  machine: Machine | null;
  /** Whether the manifests were read whole once. */
  sourceSynced: boolean;
  /** Whether the zone was told that it is whole: from then on what it does not hold does not exist. */
  zoneSynced: boolean;
  /** Services that were served before this start: they are answered at once. */
  readonly fromDisk: Set<string>;
  /** When a service that nobody can reach yet was first seen, monotonic. */
  readonly firstSeen: Map<string, number>;
  /** no ──drain asked for──> draining (no new flows; said in our record) ──flows rest──> leaving (siblings carry all) */
  drain: "no" | "draining" | "leaving";
  /** Why the broker of the present session is not ours: nothing of it is taken. */
  foreign: string | null;
  /** When a member's snapshot was asked for last, monotonic: its records did not add up. */
  readonly asked: Map<ClusterId, number>;
}
