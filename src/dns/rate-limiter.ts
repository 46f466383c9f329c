import type { Asker } from "./asker.ts";
import type { Counters } from "./counters.ts";
import { maskOf, type Networks } from "./networks.ts";
import type { FullRateLimit } from "./rate-limit.ts";

/** KIND is what a reply counts as. */
export const KIND = { response: 0, nxdomain: 1, error: 2 } as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

/** JUDGEMENT is what becomes of a reply. */
export const JUDGEMENT = { send: 0, drop: 1, slip: 2 } as const;

export type Judgement = (typeof JUDGEMENT)[keyof typeof JUDGEMENT];

/** Words of an account: who and what (two hashes), what is left, when that was, how many were held back. */
const ACCOUNT = { who: 0, what: 1, balance: 2, second: 3, held: 4, words: 5 } as const;
/** Accounts that one hash may use. */
const WAYS = 4;
/** The table begins behind its two seeds. */
const TABLE_AT = 2;

/** rateMemory is a table that several threads share. They do not wait for each other: two that write one account at once
 *  lose a count, which lets one reply more leave. Seeds are secret, so that nobody chooses whose account to push out. */
export function rateMemory({ accounts }: FullRateLimit, seeds: readonly [number, number]): SharedArrayBuffer {
  const sets = 2 ** Math.ceil(Math.log2(accounts / WAYS));
  const words = new Int32Array(new SharedArrayBuffer((TABLE_AT + sets * WAYS * ACCOUNT.words) * 4));
  words.set(seeds);
  return words.buffer;
}

export interface RateLimiterOptions {
  readonly limit: FullRateLimit;
  readonly memory: SharedArrayBuffer;
  /** Who asks for many others and is never limited. */
  readonly forwarders: Networks;
  /** Milliseconds since a moment that is the same for all threads. */
  readonly now: () => number;
  readonly counters: Counters;
}

/** RateLimiter holds replies back that a network gets too many of. Work and memory per reply are bounded, whoever asks
 *  for whatever; nothing is allocated. */
export class RateLimiter {
  readonly #o: RateLimiterOptions;
  readonly #words: Int32Array;
  readonly #sets: number;
  readonly #rates: readonly number[];
  readonly #masks: Readonly<Record<number, Uint8Array>>;
  #who = 0;
  #what = 0;

  constructor(options: RateLimiterOptions) {
    const { limit, memory } = options;
    this.#o = options;
    this.#words = new Int32Array(memory);
    this.#sets = Math.floor((this.#words.length - TABLE_AT) / (WAYS * ACCOUNT.words));
    this.#rates = [limit.responsesPerSecond, limit.nxdomainsPerSecond, limit.errorsPerSecond];
    this.#masks = { 4: maskOf(4, limit.ipv4Prefix), 16: maskOf(16, limit.ipv6Prefix) };
  }

  /** judge counts a reply of a kind; `subject` tells replies of a kind apart (a name and type), or is 0 for all. */
  judge(asker: Asker, kind: Kind, subject: number): Judgement {
    const { limit, forwarders, counters } = this.#o;
    if (asker.length === 0 || forwarders.has(asker)) return JUDGEMENT.send;
    this.#identify(asker, kind, subject);
    const rate = this.#rates[kind] as number;
    const account = this.#account(rate);
    const words = this.#words;
    const balance = words[account + ACCOUNT.balance] as number;
    if (balance > 0) {
      words[account + ACCOUNT.balance] = balance - 1;
      return JUDGEMENT.send;
    }
    // Debts are bounded, so that a flood is forgotten a window after its end.
    words[account + ACCOUNT.balance] = Math.max(balance - 1, -rate * limit.windowSeconds);
    const held = (words[account + ACCOUNT.held] as number) + 1;
    words[account + ACCOUNT.held] = held | 0;
    const slips = limit.slip > 0 && held % limit.slip === 0;
    counters.add(slips ? "rateSlipped" : "rateDropped");
    return slips ? JUDGEMENT.slip : JUDGEMENT.drop;
  }

  /** identify hashes network, kind and subject into 64 bits: murmur3's steps, from secret seeds. */
  #identify(asker: Asker, kind: Kind, subject: number): void {
    const mask = this.#masks[asker.length] as Uint8Array;
    let who = (this.#words[0] as number) ^ kind ^ (asker.length << 8);
    let what = (this.#words[1] as number) ^ subject;
    for (let i = 0; i < mask.length; i++) {
      const octet = (asker.octets[asker.at + i] as number) & (mask[i] as number);
      who = Math.imul(who ^ octet, 0xcc9e2d51);
      who ^= who >>> 15;
      what = Math.imul(what ^ octet, 0x1b873593);
      what ^= what >>> 13;
    }
    who = Math.imul(who ^ subject ^ (who >>> 16), 0x85ebca6b);
    what = Math.imul(what ^ kind ^ (what >>> 16), 0xc2b2ae35);
    this.#who = who ^ (who >>> 13);
    this.#what = what ^ (what >>> 16);
  }

  /** account finds the account, brought up to this second; a new one takes the place of the one that was quiet longest
   *  among those it may replace, and of those the one with most left. */
  #account(rate: number): number {
    const words = this.#words;
    const second = Math.floor(this.#o.now() / 1000) | 0;
    const first = TABLE_AT + ((this.#who >>> 0) % this.#sets) * WAYS * ACCOUNT.words;
    let oldest = first;
    for (let way = 0; way < WAYS; way++) {
      const at = first + way * ACCOUNT.words;
      if (words[at + ACCOUNT.who] === this.#who && words[at + ACCOUNT.what] === this.#what) {
        this.#advance(at, rate, second);
        return at;
      }
      if (this.#isStaler(at, oldest)) oldest = at;
    }
    words[oldest + ACCOUNT.who] = this.#who;
    words[oldest + ACCOUNT.what] = this.#what;
    words[oldest + ACCOUNT.balance] = rate;
    words[oldest + ACCOUNT.second] = second;
    words[oldest + ACCOUNT.held] = 0;
    return oldest;
  }

  #isStaler(a: number, b: number): boolean {
    const words = this.#words;
    const later = (words[a + ACCOUNT.second] as number) - (words[b + ACCOUNT.second] as number);
    return (
      later < 0 || (later === 0 && (words[a + ACCOUNT.balance] as number) > (words[b + ACCOUNT.balance] as number))
    );
  }

  /** advance adds what the seconds since the last reply have brought: never more than one second's worth is saved. */
  #advance(account: number, rate: number, second: number): void {
    const words = this.#words;
    const elapsed = second - (words[account + ACCOUNT.second] as number);
    if (elapsed <= 0) return;
    const balance = (words[account + ACCOUNT.balance] as number) + rate * Math.min(elapsed, 1001);
    words[account + ACCOUNT.balance] = Math.min(rate, balance);
    words[account + ACCOUNT.second] = second;
  }
}
