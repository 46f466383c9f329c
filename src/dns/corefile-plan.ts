import type { Cidr, Ip } from "#values";

/** CorefilePlan is what a Corefile asks for, as far as it can be had here. */
export interface CorefilePlan {
  readonly servers: readonly CorefileServer[];
  readonly health: { readonly at: HttpPlace; readonly lameduckMs: number } | null;
  readonly ready: { readonly at: HttpPlace; readonly continuously: boolean } | null;
  readonly prometheus: HttpPlace | null;
  readonly reload: { readonly intervalMs: number; readonly jitterMs: number } | null;
  readonly debug: boolean;
}

/** HttpPlace is where probes and scrapers ask; a host of null is every address. */
export interface HttpPlace {
  readonly host: Ip | null;
  readonly port: number;
}

/** CorefileServer is one server block. */
export interface CorefileServer {
  /** `Corefile:3`, for faults. */
  readonly place: string;
  /** In lower case, without the dot at the end; the root is empty. */
  readonly zones: readonly string[];
  readonly port: number;
  /** Addresses and interfaces; empty means all. */
  readonly bind: readonly string[];
  readonly except: readonly string[];
  /** The zones that hold imported services; empty where the block answers REFUSED to everything. */
  readonly origins: readonly string[];
  /** Seconds, capped as `cache` has it. */
  readonly ttl: number;
  /** Whether headless services and their endpoints answer. */
  readonly endpoints: boolean;
  readonly bufsize: number;
  readonly acl: readonly AclRule[];
  readonly log: readonly LogRule[];
  readonly errors: ErrorsRule | null;
  readonly metrics: boolean;
  readonly startupMs: number;
  readonly tcp: { readonly messageMs?: number; readonly idleMs?: number; readonly writeMs?: number };
  /** Names of the directives, for the metric that lists them. */
  readonly plugins: readonly string[];
}

/** The first rule of the list that matches a query decides; without a match it is allowed. */
export interface AclRule {
  readonly action: "allow" | "block" | "filter" | "drop";
  /** Zones below which it counts; empty: the block's own. */
  readonly zones: readonly string[];
  /** Record types by number; empty: every type. */
  readonly types: readonly number[];
  /** Sources; empty: everyone. */
  readonly nets: readonly Cidr[];
}

export type LogClass = "success" | "denial" | "error" | "all";

export interface LogRule {
  readonly zones: readonly string[];
  /** With `{name}` and the like, as CoreDNS has them. */
  readonly format: string;
  readonly classes: readonly LogClass[];
}

export interface ErrorsRule {
  readonly consolidate: readonly {
    readonly everyMs: number;
    readonly pattern: RegExp;
    readonly level: "warning" | "error" | "info" | "debug";
    readonly showFirst: boolean;
  }[];
}
