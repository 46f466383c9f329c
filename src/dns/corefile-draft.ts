import { type Cidr, parseCidr, parseDuration, parseHostPort, parseIp } from "#values";
import type { AclRule, CorefilePlan, ErrorsRule, HttpPlace, LogRule } from "./corefile-plan.ts";
import type { Directive } from "./corefile-syntax.ts";
import type { Token } from "./corefile-tokens.ts";

/** What all blocks of a file have in common. */
export type Shared = { -readonly [K in Exclude<keyof CorefilePlan, "servers">]: CorefilePlan[K] };

/** Draft is a server block under way, and what is said about it. */
export class Draft {
  readonly zones: readonly string[];
  readonly shared: Shared;
  readonly bind: string[] = [];
  readonly except: string[] = [];
  readonly origins: string[] = [];
  readonly acl: AclRule[] = [];
  readonly log: LogRule[] = [];
  errors: ErrorsRule | null = null;
  /** Of imported services, as CoreDNS has it: short enough that a change is soon seen, long enough for its cache. */
  ttl = 5;
  endpoints = true;
  bufsize = 1232;
  metrics = false;
  startupMs = 5000;
  tcp: { messageMs?: number; idleMs?: number; writeMs?: number } = {};
  /** Longest and shortest lifetime, where a cache bounds them. */
  cap: number | null = null;
  readonly #faults: string[];

  constructor(zones: readonly string[], shared: Shared, faults: string[]) {
    this.zones = zones;
    this.shared = shared;
    this.#faults = faults;
  }

  fault({ file, line }: Pick<Token, "file" | "line">, reason: string): void {
    this.#faults.push(`${file}:${line}: ${reason}`);
  }

  /** noBlock and atMost refuse what a directive does not take. */
  noBlock({ name, block }: Directive): void {
    for (const { name: inner } of block ?? []) this.fault(inner, `${name.text} takes no block`);
  }

  atMost(count: number, { name, args }: Directive): void {
    const extra = args[count];
    if (extra !== undefined) this.fault(extra, `${name.text}: unexpected "${extra.text}": leave it out`);
  }

  /** whole reads a number between two others; the fallback where it is none. */
  whole(token: Token | undefined, [least, most]: readonly [number, number], fallback: number): number {
    if (token === undefined) return fallback;
    const value = Number(token.text);
    if (/^\d{1,9}$/.test(token.text) && value >= least && value <= most) return value;
    this.fault(token, `must be a whole number from ${least} to ${most}: "${token.text}"`);
    return fallback;
  }

  /** span reads a duration of Go's (`5s`, `1m30s`), of at least so many milliseconds. */
  span(token: Token | undefined, leastMs: number, fallback: number): number {
    if (token === undefined) return fallback;
    const parts = token.text.match(/\d+(?:\.\d+)?(?:ms|s|m|h)/g);
    const whole = parts?.join("") === token.text ? parts : [token.text];
    const ms = whole.reduce((sum, part) => sum + (parseDuration(part) ?? Number.NaN), 0);
    if (ms >= leastMs) return ms;
    const rule = Number.isNaN(ms) ? "must be a duration, as 5s or 1m30s" : `must be at least ${leastMs / 1000}s`;
    this.fault(token, `${rule}: "${token.text}"`);
    return fallback;
  }

  /** place reads `:9153`, `localhost:9153` or `10.0.0.1:9153`. */
  place(token: Token | undefined, fallback: HttpPlace): HttpPlace {
    if (token === undefined) return fallback;
    const text = token.text.replace(/^localhost(?=:)/, "127.0.0.1");
    const bare = /^:(\d{1,5})$/.exec(text);
    if (bare !== null && Number(bare[1]) <= 65_535) return { host: null, port: Number(bare[1]) };
    const full = parseHostPort(text);
    if (full.ok) return full.value;
    this.fault(token, `must be an address to listen on, as :9153 or 127.0.0.1:9153: "${token.text}"`);
    return fallback;
  }

  /** net reads an address or a prefix; undefined where it is neither. */
  net(token: Token): Cidr | undefined {
    const ip = parseIp(token.text);
    const cidr = parseCidr(ip.ok ? `${ip.value}/${ip.value.includes(":") ? 128 : 32}` : token.text);
    if (cidr.ok) return cidr.value;
    this.fault(token, `must be an address or a prefix, as 10.0.0.0/8: "${token.text}"`);
    return undefined;
  }
}
