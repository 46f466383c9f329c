import type { BrokerUnderTest } from "../hostile/broker-under-test.ts";

/** A request follows the one before it after so long. */
const EVERY_MS = 5;

/** AdminWatch asks a broker's admin API what operators ask, one question after the other, and keeps how long each
 *  answer took. */
export class AdminWatch implements AsyncDisposable {
  readonly tookMs: number[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(broker: BrokerUnderTest) {
    this.#running = this.#run(broker);
  }

  /** percentile of the answers so far; `share` from 0 to 1. */
  percentile(share: number): number {
    const sorted = this.tookMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  }

  /** asked resolves when there are so many answers. */
  async asked(count: number): Promise<void> {
    while (this.tookMs.length < count) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(broker: BrokerUnderTest): Promise<void> {
    const paths = ["/v1/clusters/amber", "/v1/allocations?limit=50", "/v1/records?limit=50&kind=member"];
    for (let n = 0; !this.#stop.signal.aborted; n += 1) {
      const start = performance.now();
      await broker.get(paths[n % paths.length] ?? "");
      this.tookMs.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
