import type { Clock } from "#life";
import type { Ip } from "#values";

interface Fresh {
  readonly address: Ip;
  /** When it may be answered, monotonic. */
  readonly at: number;
  readonly told: boolean;
}

/** FreshAddresses holds a service address back for a moment after its import was written: a name is announced when it
 *  works, and the cluster's other nodes hear of the import no sooner than this one. Keys are imports'. */
export class FreshAddresses {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #spreadMs: () => number;
  readonly #known = new Map<string, Fresh>();

  /** `spreadMs` is how long other nodes may take; 0 where there are none. */
  constructor(clock: Pick<Clock, "monotonic">, spreadMs: () => number) {
    this.#clock = clock;
    this.#spreadMs = spreadMs;
  }

  /** may reports whether an address may be answered. The first time that it is asked for one begins the wait. */
  may(key: string, address: Ip): boolean {
    const now = this.#clock.monotonic();
    const known = this.#known.get(key);
    if (known?.address === address) return known.at <= now;
    const waitMs = this.#spreadMs();
    this.#known.set(key, { address, at: now + waitMs, told: waitMs === 0 });
    return waitMs === 0;
  }

  /** has reports whether an address was asked for before. */
  has(key: string, address: Ip | null): boolean {
    return this.#known.get(key)?.address === address;
  }

  /** waitMs is how long a key's address is held back: 0 once, when that is over; null where nothing is to be waited for. */
  waitMs(key: string): number | null {
    const known = this.#known.get(key);
    if (known === undefined || known.told) return null;
    const left = known.at - this.#clock.monotonic();
    if (left > 0) return left;
    this.#known.set(key, { ...known, told: true });
    return 0;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }
}
