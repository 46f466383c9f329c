import type { Clock } from "#life";

/** SerialFloor is what a responder must remember so that its serial never goes back, not even when it starts again
 *  with a clock that does. */
export interface SerialFloor {
  /** The last serial that was reserved; 0 where none ever was. */
  readonly floor: number;
  /** reserve makes durable that serials up to this one may have been shown. It is called once in ten minutes. */
  readonly reserve: (upTo: number) => void;
}

/** Serials reserved at a time: as many seconds, at the fastest. */
const RESERVE = 600;

/** SerialClock makes the SOA's serial: the time of the last change in seconds since 1970, as CoreDNS has it (RFC 1912
 *  section 2.2 allows any that grows). Changes in one second share a serial, and every later one has a higher, so
 *  that it cannot run ahead of the clock for long. */
export class SerialClock {
  readonly #clock: Pick<Clock, "now">;
  readonly #floor: SerialFloor | undefined;
  #serial: number;
  #reserved: number;
  /** The second of the last change. */
  #second = Number.NaN;

  constructor(clock: Pick<Clock, "now">, floor?: SerialFloor) {
    this.#clock = clock;
    this.#floor = floor;
    this.#serial = floor?.floor ?? 0;
    this.#reserved = this.#serial;
  }

  /** The serial of the last change; below 2^32. */
  get value(): number {
    return this.#serial;
  }

  /** advance notes a change. What is shown was reserved before, durably. */
  advance(): void {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#serial = Math.max(second, this.#serial + 1);
    if (this.#floor === undefined || this.#serial <= this.#reserved) return;
    this.#reserved = this.#serial + RESERVE;
    this.#floor.reserve(this.#reserved);
  }
}
