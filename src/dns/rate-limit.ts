/** RateLimit says how many replies of one kind a network of clients gets by UDP (RRL, as in BIND): an attacker who forges
 *  a victim's address makes it get few and small ones. */
export interface RateLimit {
  /** Replies a second with one name and type. */
  readonly responsesPerSecond: number;
  /** Names that do not exist, all together; default as above. */
  readonly nxdomainsPerSecond?: number;
  /** REFUSED, FORMERR and other errors, all together; default as above. */
  readonly errorsPerSecond?: number;
  /** How long a flood is remembered: a network that asked for more than its share is in debt, up to so many seconds of
   *  it (default 15). */
  readonly windowSeconds?: number;
  /** Of the replies that are held back, each so-and-so-manyth leaves all the same, empty and marked as cut, so that a
   *  real client asks again by TCP (default 2; 1: all of them; 0: none). */
  readonly slip?: number;
  /** What counts as one network of clients (default 24 and 56 bits). */
  readonly ipv4Prefix?: number;
  readonly ipv6Prefix?: number;
  /** Accounts kept at most (default 65,536, at 20 bytes each); the ones that were quiet longest give way. */
  readonly accounts?: number;
}

export type FullRateLimit = Required<RateLimit>;

const MAX_PER_SECOND = 1_000_000;

/** fullRateLimit fills in the defaults and refuses what cannot be kept. */
export function fullRateLimit(limit: RateLimit): FullRateLimit {
  const full = {
    nxdomainsPerSecond: limit.responsesPerSecond,
    errorsPerSecond: limit.responsesPerSecond,
    windowSeconds: 15,
    slip: 2,
    ipv4Prefix: 24,
    ipv6Prefix: 56,
    accounts: 65_536,
    ...limit,
  };
  const ranges: Readonly<Record<keyof RateLimit, readonly [number, number]>> = {
    responsesPerSecond: [1, MAX_PER_SECOND],
    nxdomainsPerSecond: [1, MAX_PER_SECOND],
    errorsPerSecond: [1, MAX_PER_SECOND],
    windowSeconds: [1, 1000],
    slip: [0, 100],
    ipv4Prefix: [1, 32],
    ipv6Prefix: [1, 128],
    accounts: [4, 1 << 24],
  };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = full[name as keyof RateLimit];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`rateLimit.${name} must be ${least} to ${most}: current value is ${value}`);
    }
  }
  return full;
}
