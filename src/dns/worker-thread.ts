import { once } from "node:events";
import { type ResourceLimits, Worker } from "node:worker_threads";

export interface WorkerThreadOptions<From> {
  readonly name: string;
  readonly file: URL;
  readonly data: unknown;
  readonly limits: ResourceLimits;
  readonly onMessage: (message: From) => void;
  /** The thread ended by itself: why. */
  readonly onEnd: (why: string) => void;
}

/** WorkerThread is one thread with typed messages; `To` is what it takes. */
export class WorkerThread<To> {
  readonly #worker: Worker;
  readonly #gone: Promise<unknown>;
  #stopping = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#gone = once(worker, "exit").catch(() => {});
  }

  /** start starts the thread. */
  static start<To, From>(options: WorkerThreadOptions<From>): WorkerThread<To> {
    const { name, file, data, limits, onMessage, onEnd } = options;
    const worker = new Worker(file, { name, workerData: data, resourceLimits: limits, execArgv: [] });
    const thread = new WorkerThread<To>(worker);
    let why = "";
    worker.on("message", onMessage);
    worker.on("error", (reason) => {
      why = String(reason);
    });
    worker.on("exit", (code) => {
      if (!thread.#stopping) onEnd(`${name} ended: ${why === "" ? `exit ${code}` : why}`);
    });
    return thread;
  }

  /** send posts a message; to a thread that is gone it goes nowhere. */
  send(message: To): void {
    this.#worker.postMessage(message);
  }

  /** stop asks the thread to end, and after the grace ends it. */
  async stop(message: To, graceMs = 2000): Promise<void> {
    this.#stopping = true;
    this.send(message);
    const late = setTimeout(() => void this.#worker.terminate(), graceMs);
    await this.#gone;
    clearTimeout(late);
  }
}
