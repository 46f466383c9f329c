import { MessageChannel, Worker } from "node:worker_threads";

/** Thread is a worker with a mailbox of its own. */
export interface Thread<Out> {
  readonly post: (message: Out) => void;
  /** Ends when the thread has ended; rejects if it failed. */
  readonly ended: Promise<void>;
}

/** Both threads work in buffers that they lay out once: a large young generation would only hold memory. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 };

/** startThread starts a worker file of this room; `setup` reaches it as workerData, with its end of the mailbox. */
export function startThread<In, Out>(file: URL, setup: object, hear: (message: In) => void): Thread<Out> {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(file, {
    workerData: { ...setup, mail: port2 },
    transferList: [port2],
    resourceLimits: LIMITS,
  });
  port1.on("message", hear);
  const ended = new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${file.pathname} ended with ${code}`))));
  });
  const closed = ended.finally(() => port1.close());
  closed.catch(() => {}); // heard by whoever awaits it
  return { post: (message) => port1.postMessage(message), ended: closed };
}
