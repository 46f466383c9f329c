import type { AclRule } from "./corefile-plan.ts";
import { type LoggedQuery, lostQueries, queryLogMemory, takeQueries } from "./query-log.ts";
import { tallyMemory } from "./tally-layout.ts";
import { readTally, type TallySums } from "./tally-sums.ts";

/** WatchShare is what a responder's threads and the main thread have in common about queries: plain data. A listener has
 *  two rows, UDP's and TCP's. */
export interface WatchShare {
  readonly listeners: number;
  /** Zones in the order of the origins, and one more for queries that are for none of them. */
  readonly zones: number;
  readonly acl: readonly AclRule[];
  /** Undefined where nobody counts. */
  readonly tally: SharedArrayBuffer | undefined;
  /** One per row; none where nobody logs. */
  readonly logs: readonly SharedArrayBuffer[];
}

export interface WatchOptions {
  readonly listeners: number;
  readonly origins: number;
  readonly acl: readonly AclRule[];
  /** Whether CoreDNS's metrics are counted, and queries are kept for the log. */
  readonly tally: boolean;
  readonly log: boolean;
}

/** createWatchShare makes the memory; undefined where there is nothing to watch, and then queries cost nothing more. */
export function createWatchShare({ listeners, origins, acl, tally, log }: WatchOptions): WatchShare | undefined {
  if (!tally && !log && acl.length === 0) return undefined;
  const [rows, zones] = [listeners * 2, origins + 1];
  return {
    listeners,
    zones,
    acl,
    tally: tally ? tallyMemory(rows, zones) : undefined,
    logs: log ? Array.from({ length: rows }, () => queryLogMemory()) : [],
  };
}

/** ListenerTally is what one listener counted of one zone by one transport. */
export interface ListenerTally {
  readonly listener: number;
  readonly tcp: boolean;
  /** Undefined: queries for no zone of ours. */
  readonly zone: number | undefined;
  readonly sums: TallySums;
}

/** readTallies reads all rows. */
export function readTallies({ tally, listeners, zones }: WatchShare): readonly ListenerTally[] {
  if (tally === undefined) return [];
  return Array.from({ length: listeners * 2 * zones }, (_, i) => {
    const [row, zone] = [Math.floor(i / zones), i % zones];
    return {
      listener: row >> 1,
      tcp: (row & 1) === 1,
      zone: zone === zones - 1 ? undefined : zone,
      sums: readTally(tally, row, zones, zone),
    };
  });
}

/** takeLogged takes queries out of the rings, up to so many of each, with the listener that got them. */
export function takeLogged(
  { logs }: WatchShare,
  most: number,
): readonly (LoggedQuery & { readonly listener: number })[] {
  return logs.flatMap((log, row) => takeQueries(log, most).map((query) => ({ ...query, listener: row >> 1 })));
}

/** lostLogged is how many queries there was no room for. */
export function lostLogged({ logs }: WatchShare): number {
  return logs.reduce((sum, log) => sum + lostQueries(log), 0);
}
