import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { Libc } from "./libc.ts";
import { raisePriority } from "./thread-priority.ts";

/** A C library that allows some of it. */
function libcThat(allows: { readonly scheduler: boolean; readonly nice: boolean }): Libc {
  return {
    scratch: { address: 0n, bytes: new Uint8Array(32), view: new DataView(new ArrayBuffer(32)) },
    sched_setscheduler: () => (allows.scheduler ? 0 : -1),
    setpriority: () => (allows.nice ? 0 : -1),
  } as unknown as Libc;
}

test.each([
  [{ scheduler: true, nice: true }, "real-time"],
  [{ scheduler: false, nice: true }, "raised"],
  [{ scheduler: false, nice: false }, "ordinary"],
] as const)("raisePriority() takes what the machine allows: %o", (allows, priority) => {
  expect(raisePriority(libcThat(allows))).toBe(priority);
});

test("raisePriority() is for the calling thread alone", async () => {
  const [libc, priority] = ["./libc.ts", "./thread-priority.ts"].map((file) => new URL(file, import.meta.url).href);
  const source = `
    const { parentPort } = await import("node:worker_threads");
    const { loadLibc } = await import(${JSON.stringify(libc)});
    const { raisePriority } = await import(${JSON.stringify(priority)});
    const libc = await loadLibc();
    const { readlinkSync, readFileSync } = await import("node:fs");
    const tid = readlinkSync("/proc/thread-self").split("/").at(-1);
    const said = libc.ok ? raisePriority(libc.value) : "ordinary";
    parentPort.postMessage({ said, stat: readFileSync("/proc/self/task/" + tid + "/stat", "utf8") });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const { said, stat } = await new Promise<{ said: string; stat: string }>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  // proc_pid_stat(5): nice is field 19, policy 41 (2 is SCHED_RR), counted after the command.
  const [nice, policy] = [19, 41].map((field) => Number(fields(stat)[field - 3]));
  expect(said).toBe(policy === 2 ? "real-time" : nice === -19 ? "raised" : "ordinary");
  expect(Number(fields(readFileSync("/proc/self/stat", "utf8"))[41 - 3])).toBe(0);
});

function fields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
