import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Clock } from "#life";
import type { ParseAnswer, ParseJob } from "./parse-job.ts";

/** The main thread needs a processor of its own: where there are two, a second thread makes nothing faster, and its heap
 *  is a tenth of a gateway's memory. */
const MAX_WORKERS = Math.min(2, Math.max(1, availableParallelism() - 1));
/** A folder is read in one go: what comes later is a few files, for which a thread starts in a few hundredths of a second. */
const IDLE_MS = 300;
/** A worker's heap is bounded, so that a monstrous file ends the worker and not the program. */
const LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 6 };

const STOPPED: ParseAnswer = { kind: "unreadable", reason: "its thread was stopped" };

interface Waiting {
  readonly job: ParseJob;
  readonly answer: (answer: ParseAnswer) => void;
}

interface Thread {
  readonly worker: Worker;
  /** What it works on; null while it rests. */
  current: Waiting | null;
  /** Ends its rest. */
  wake: AbortController;
}

/** ParsePool parses large files in at most two worker threads, started when there is work and ended, with all their
 *  memory, shortly after it is done. */
export class ParsePool {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #queue: Waiting[] = [];
  readonly #threads = new Set<Thread>();
  readonly #ends = new Set<Promise<unknown>>();
  #closed = false;

  constructor(clock: Clock, threads = MAX_WORKERS) {
    this.#clock = clock;
    this.#most = threads;
  }

  /** workers is the number of threads that exist now. */
  get workers(): number {
    return this.#threads.size;
  }

  /** parse never rejects: a thread that dies over a file is that file's fault. */
  parse(job: ParseJob): Promise<ParseAnswer> {
    if (this.#closed) return Promise.resolve(STOPPED);
    return new Promise((answer) => {
      this.#queue.push({ job, answer });
      this.#dispatch();
    });
  }

  /** close ends all threads; what they have not answered is answered as unreadable. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { answer } of this.#queue.splice(0)) answer(STOPPED);
    for (const thread of this.#threads) this.#end(thread, STOPPED);
    await Promise.allSettled(this.#ends);
  }

  /** dispatch gives waiting jobs to resting threads, or to new ones while there may be more. */
  #dispatch(): void {
    while (this.#queue.length > 0) {
      const idle = [...this.#threads].find(({ current }) => current === null);
      const thread = idle ?? (this.#threads.size < this.#most ? this.#start() : undefined);
      if (thread === undefined) return;
      this.#next(thread);
    }
  }

  #start(): Thread {
    const worker = new Worker(new URL("./manifest-worker.ts", import.meta.url), { resourceLimits: LIMITS });
    const thread: Thread = { worker, current: null, wake: new AbortController() };
    worker.on("message", (answer: ParseAnswer) => {
      thread.current?.answer(answer);
      this.#next(thread);
    });
    worker.on("error", (error: Error) => this.#end(thread, { kind: "unreadable", reason: error.message }));
    worker.on("exit", () => this.#end(thread, STOPPED));
    this.#threads.add(thread);
    return thread;
  }

  /** next gives a thread its next job, or lets it rest until it is needed no more. */
  #next(thread: Thread): void {
    thread.wake.abort();
    thread.current = this.#queue.shift() ?? null;
    if (thread.current !== null) return thread.worker.postMessage(thread.current.job);
    thread.wake = new AbortController();
    const end = (): void => this.#end(thread, STOPPED);
    this.#clock.sleep(IDLE_MS, thread.wake.signal).then(end, () => {}); // woken: there is work, or the thread has ended
  }

  /** end forgets a thread, by whatever way it comes here first, and answers its job for it. */
  #end(thread: Thread, answer: ParseAnswer): void {
    if (!this.#threads.delete(thread)) return;
    thread.wake.abort();
    thread.current?.answer(answer);
    const end = thread.worker.terminate().finally(() => this.#ends.delete(end));
    this.#ends.add(end);
    this.#dispatch();
  }
}
