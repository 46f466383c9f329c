import { type Clock, httpGet, isAbort, type Log, type Room } from "#life";
import { formatHostPort, type HostPort, type Ip } from "#values";

/** Upper bounds in seconds: 0.25 ms × 10^k. */
const BUCKETS: readonly number[] = [0.00025, 0.0025, 0.025, 0.25, 2.5];
const EVERY_MS = 1000;
/** Longer than this and the process has too much to do. */
const SLOW_SECONDS = 1;
const TIMEOUT_MS = 5000;

/** SelfCheck asks the own /health once a second, as CoreDNS does: its time says how loaded the process is. */
export class SelfCheck implements Room {
  readonly name = "self-check";
  readonly #url: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts = BUCKETS.map(() => 0);
  #count = 0;
  #sum = 0;
  #failures = 0;

  constructor(at: HostPort, clock: Clock, log: Log) {
    const wild: Readonly<Record<string, Ip>> = { "0.0.0.0": "127.0.0.1" as Ip, "::": "::1" as Ip };
    this.#url = `http://${formatHostPort({ ...at, host: wild[at.host] ?? at.host })}/health`;
    this.#clock = clock;
    this.#log = log;
  }

  reading() {
    const buckets = BUCKETS.map((le, i) => ({ le, count: this.#counts[i] ?? 0 }));
    return { seconds: { buckets, count: this.#count, sum: this.#sum }, failures: this.#failures };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(EVERY_MS, signal).catch((reason: unknown) => {
        if (!isAbort(reason)) throw reason;
      });
      if (!signal.aborted) await this.#ask(signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const begin = this.#clock.monotonic();
    const good = await askOnce(this.#url, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
    if (signal.aborted) return;
    const seconds = (this.#clock.monotonic() - begin) / 1000;
    for (const [i, le] of BUCKETS.entries()) if (seconds <= le) this.#counts[i] = (this.#counts[i] ?? 0) + 1;
    this.#count += 1;
    this.#sum += seconds;
    if (!good) this.#failures += 1;
    if (seconds > SLOW_SECONDS) this.#log.warn("the own health check took long", { seconds });
  }
}

function askOnce(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    httpGet(url, { signal, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200));
      response.on("error", () => resolve(false));
    }).on("error", () => resolve(false));
  });
}
