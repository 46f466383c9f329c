import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { BUCKET_US, BUCKETS, CELL, type ClientThread } from "./dns-client-cells.ts";

/** DnsClient is a thread that asks a responder on loopback. */
export class DnsClient implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #cells: Float64Array;

  private constructor(worker: Worker, cells: Float64Array) {
    this.#worker = worker;
    this.#cells = cells;
  }

  /** start returns when the thread asks. */
  static async start(ask: Omit<ClientThread, "shared">): Promise<DnsClient> {
    const shared = new SharedArrayBuffer((CELL.cells + BUCKETS) * 8);
    const file = new URL("./dns-client-thread.ts", import.meta.url);
    const worker = new Worker(file, { workerData: { ...ask, shared }, execArgv: [] });
    await once(worker, "message");
    return new DnsClient(worker, new Float64Array(shared));
  }

  count(cell: "sent" | "answered" | "failed" | "lost"): number {
    return this.#cells[CELL[cell]] as number;
  }

  /** percentileMs is the latency that a share of the replies did not exceed. */
  percentileMs(share: number): number {
    const histogram = this.#cells.subarray(CELL.cells);
    let left = share * histogram.reduce((sum, count) => sum + count, 0);
    const bucket = histogram.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return ((bucket + 1) * BUCKET_US) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cells[CELL.stop] = 1;
    await once(this.#worker, "exit");
  }
}
