import { closeSync, writeSync } from "node:fs";
import type { FromWorker, ToWorker, WorkerSetup } from "./messages.ts";
import { startThread, type Thread } from "./thread.ts";

/** eventfd(2) adds the number written, eight octets in host order. */
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

/** ProbeMail is the probe thread and the way to reach it: that thread sleeps in a system call, so a message is followed
 *  by a write to its eventfd, which wakes it at once. */
export class ProbeMail {
  readonly ended: Promise<void>;
  readonly #thread: Thread<ToWorker>;
  #wake: number | null = null;

  constructor(setup: Omit<WorkerSetup, "mail">, hear: (message: FromWorker) => void) {
    this.#thread = startThread<FromWorker, ToWorker>(
      new URL("./probe-worker.ts", import.meta.url),
      setup,
      (message) => {
        if (message.kind === "wake-by") this.#wakeBy(message.fd);
        else hear(message);
      },
    );
    // Closed only when the thread is gone: its number could mean another file at once.
    this.ended = this.#thread.ended.finally(() => this.#closeWake());
    this.ended.catch(() => {});
  }

  post(message: ToWorker): void {
    this.#thread.post(message);
    if (this.#wake !== null) writeSync(this.#wake, ONE);
  }

  #wakeBy(fd: number): void {
    this.#wake = fd;
    writeSync(fd, ONE); // for what was posted before
  }

  #closeWake(): void {
    if (this.#wake !== null) closeSync(this.#wake);
    this.#wake = null;
  }
}
