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

/** WorkerThread is one thread with typed messages; `To` is what it takes, `From` what it says. */
export class WorkerThread<To, From> {
  readonly #worker: Worker;
  readonly #gone: Promise<unknown>;
  #stopping = false;

  constructor({ name, file, data, limits, onMessage, onEnd }: WorkerThreadOptions<From>) {
    this.#worker = new Worker(file, { name, workerData: data, resourceLimits: limits, execArgv: [] });
    this.#gone = once(this.#worker, "exit").catch(() => {});
    let why = "";
    this.#worker.on("message", onMessage);
    this.#worker.on("error", (reason) => {
      why = String(reason);
    });
    this.#worker.on("exit", (code) => {
      if (!this.#stopping) onEnd(`${name} ended: ${why === "" ? `exit ${code}` : why}`);
    });
  }

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
