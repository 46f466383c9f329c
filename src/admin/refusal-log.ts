import type { IncomingMessage } from "node:http";
import type { Clock } from "#life";
import type { Desk } from "./desk.ts";
import type { Refused } from "./problem.ts";

/** How many lines some kind of asker may have written. */
interface Allowance {
  /** Lines that may come at once. */
  readonly burst: number;
  /** After them, one for each of these spans. */
  readonly everyMs: number;
}

/** Strangers may write a few lines and then one every ten seconds, so that they can neither fill the disk nor push
 *  what matters out of the log; whoever has a credential may write more, and cannot be kept from it by strangers. */
const STRANGER: Allowance = { burst: 20, everyMs: 10_000 };
const OPERATOR: Allowance = { burst: 100, everyMs: 1000 };

/** RefusalLog writes the audit lines of refused requests: who, what, why. */
export class RefusalLog {
  readonly #desk: Desk;
  readonly #strangers: Bucket;
  readonly #operators: Bucket;

  constructor(desk: Desk, clock: Clock) {
    this.#desk = desk;
    this.#strangers = new Bucket(clock, STRANGER);
    this.#operators = new Bucket(clock, OPERATOR);
  }

  /** stranger writes of a request without a good credential, by the address that it came from. */
  stranger(request: IncomingMessage, refused: Refused): void {
    this.#write(
      this.#strangers,
      request,
      refused,
      `stranger at ${request.socket.remoteAddress ?? "an unknown address"}`,
    );
  }

  /** operator writes of a change that was refused to somebody with a credential, by name. */
  operator(request: IncomingMessage, refused: Refused, actor: string): void {
    this.#write(this.#operators, request, refused, actor);
  }

  #write(bucket: Bucket, request: IncomingMessage, { problem }: Refused, by: string): void {
    const left = bucket.take();
    if (left === null) return;
    const more = left === 0 ? "" : ` (and ${left} more before it that were not written)`;
    const [path = ""] = (request.url ?? "").split("?"); // a query may hold what was meant for a header
    const subject = path.slice(0, 200).replace(/[^!-~]/g, "?");
    this.#desk.refusedRequest(`http ${request.method ?? ""}`, subject, `${problem.code}: ${problem.detail}${more}`, by);
  }
}

/** Bucket lets a burst pass and then so many per time, and counts what it held back. Credit is counted in whole
 *  milliseconds, of which one passage costs `everyMs`: shares of a passage would not add up to one. */
class Bucket {
  readonly #clock: Clock;
  readonly #allowance: Allowance;
  #creditMs: number;
  #at: number;
  #held = 0;

  constructor(clock: Clock, allowance: Allowance) {
    this.#clock = clock;
    this.#allowance = allowance;
    this.#creditMs = allowance.burst * allowance.everyMs;
    this.#at = clock.monotonic();
  }

  /** take gives the number held back since the last that passed, or null when this one is held back too. */
  take(): number | null {
    const { burst, everyMs } = this.#allowance;
    const now = this.#clock.monotonic();
    this.#creditMs = Math.min(burst * everyMs, this.#creditMs + now - this.#at);
    this.#at = now;
    if (this.#creditMs < everyMs) {
      this.#held += 1;
      return null;
    }
    this.#creditMs -= everyMs;
    const held = this.#held;
    this.#held = 0;
    return held;
  }
}
