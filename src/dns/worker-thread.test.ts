import { describe, expect, test } from "vitest";
import { WorkerThread } from "./worker-thread.ts";

const LIMITS = { maxOldGenerationSizeMb: 32 };

/** thread runs JavaScript in a thread and collects what it says. */
function thread(code: string) {
  const heard: unknown[] = [];
  const ended = Promise.withResolvers<string>();
  const file = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = WorkerThread.start<string, unknown>({
    name: "test",
    file,
    data: undefined,
    limits: LIMITS,
    onMessage: (message) => heard.push(message),
    onEnd: ended.resolve,
  });
  return { worker, heard, ended: ended.promise };
}

describe("WorkerThread", () => {
  test("that ends by itself says so, with the reason", async () => {
    expect(await thread("throw new Error('no good')").ended).toBe("test ended: Error: no good");
    expect(await thread("process.exit(3)").ended).toBe("test ended: exit 3");
  });

  test("stop() waits until it is gone, and is no fault", async () => {
    const { worker, heard, ended } = thread(
      "import { parentPort } from 'node:worker_threads'; parentPort.once('message', (m) => { parentPort.postMessage(m); parentPort.close(); })",
    );
    await worker.stop("bye");
    expect(heard).toEqual(["bye"]);
    expect(await Promise.race([ended, Promise.resolve("quiet")])).toBe("quiet");
  });

  test("stop() ends a thread that does not listen, after the grace", async () => {
    const { worker } = thread("for (;;);");
    const start = performance.now();
    await worker.stop("bye", 100);
    expect(performance.now() - start).toBeGreaterThan(90);
  });
});
