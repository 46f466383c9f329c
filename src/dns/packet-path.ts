import { CookieSecrets } from "./cookie-secrets.ts";
import { Cookies } from "./cookies.ts";
import type { Counters } from "./counters.ts";
import { Networks } from "./networks.ts";
import { type PacketPolicy, packetPolicy } from "./packet-options.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { ReplyOptions } from "./reply-options.ts";

/** PacketShare is what all threads have in common: the policy, and what lies in shared memory. */
export interface PacketShare {
  readonly policy: PacketPolicy;
  readonly secrets: SharedArrayBuffer;
  /** Undefined where there is no limit. */
  readonly rates: SharedArrayBuffer | undefined;
}

/** PacketPath is what an answerer needs beside the zone. */
export interface PacketPath {
  readonly udpSize: number;
  readonly cookies: boolean;
  readonly options: ReplyOptions;
  readonly limiter: RateLimiter | undefined;
}

export interface PacketPathOptions {
  readonly counters: Counters;
  /** How long an idle TCP connection stays, in milliseconds. */
  readonly keepaliveMs: number;
  /** Wall-clock time in milliseconds: cookies carry it. */
  readonly now: () => number;
  /** Time in milliseconds that never jumps, since a moment that is the same for all threads. */
  readonly steady: () => number;
}

/** packetPath makes one thread's parts. */
export function packetPath(share: PacketShare, { counters, keepaliveMs, now, steady }: PacketPathOptions): PacketPath {
  const { policy, secrets, rates } = share;
  const cookies = policy.cookies ? new Cookies(new CookieSecrets(secrets)) : undefined;
  const { rateLimit: limit } = policy;
  return {
    udpSize: policy.udpSize,
    cookies: policy.cookies,
    options: new ReplyOptions({ cookies, nsid: policy.nsid, keepaliveMs, now: () => Math.floor(now() / 1000) }),
    limiter:
      limit === undefined || rates === undefined
        ? undefined
        : new RateLimiter({ limit, memory: rates, forwarders: new Networks(policy.forwarders), now: steady, counters }),
  };
}

/** plainPath speaks no option and limits nothing: for who asks without sockets. */
export function plainPath(): PacketPath {
  const { udpSize } = packetPolicy();
  const options = new ReplyOptions({ cookies: undefined, nsid: new Uint8Array(0), keepaliveMs: 0, now: () => 0 });
  return { udpSize, cookies: false, options, limiter: undefined };
}
