import type { TunnelKey } from "#values";
import type { Hop } from "./nexthops.ts";
import type { Route } from "./route.ts";
import type { Rule } from "./rule.ts";

/** PeerState is a peer as WireGuard has it. */
export interface PeerState {
  /** `IP:PORT` as `wg` writes it; it moves when the peer roams. Null: not known yet. */
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  readonly keepaliveSeconds: number;
  /** Seconds since 1970; 0: never. */
  readonly latestHandshakeSeconds: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** DeviceState is one interface as `wg` shows it. */
export interface DeviceState {
  /** Null: the device has no key yet. */
  readonly publicKey: TunnelKey | null;
  readonly listenPort: number;
  readonly peers: ReadonlyMap<TunnelKey, PeerState>;
}

/** LinkState is one interface as the kernel shows it. */
export interface LinkState {
  readonly up: boolean;
  /** In bytes. */
  readonly mtu: number;
  /** `ADDRESS/LENGTH` of family 4. */
  readonly addresses: readonly string[];
}

export interface InterfaceState extends LinkState {
  /** Null: the link is there but no WireGuard answers for it. */
  readonly device: DeviceState | null;
}

/** TunnelState is what was found on the machine: only what carries our names, and the sysctls. */
export interface TunnelState {
  readonly mode: "kernel" | "userspace" | "none";
  /** Our public key, from disk; null in mode none. */
  readonly publicKey: TunnelKey | null;
  readonly interfaces: ReadonlyMap<number, InterfaceState>;
  /** Nexthop id -> where it leads: see Nexthops. */
  readonly nexthops: ReadonlyMap<number, string>;
  /** Group id -> its nexthops, sorted by id. */
  readonly groups: ReadonlyMap<number, readonly Hop[]>;
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Path below /proc/sys -> value. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** endpointKey -> the endpoint that we set last: what a peer roamed to since is no difference. */
  readonly lastEndpoints: ReadonlyMap<string, string>;
}

/** emptyState is a machine that has nothing of ours. */
export function emptyState(mode: TunnelState["mode"], publicKey: TunnelKey | null): TunnelState {
  return {
    mode,
    publicKey,
    interfaces: new Map(),
    nexthops: new Map(),
    groups: new Map(),
    routes: [],
    rules: [],
    sysctls: new Map(),
    lastEndpoints: new Map(),
  };
}

/** endpointKey names a peer of an interface in `lastEndpoints`. */
export function endpointKey(index: number, peer: TunnelKey): string {
  return `${index} ${peer}`;
}
