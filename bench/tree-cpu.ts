import { readdirSync, readFileSync } from "node:fs";
import { parseCpuSeconds } from "./usage.ts";

/** treeCpuSeconds is the CPU time that a process and all its living descendants have used, in seconds. It reads /proc at
 *  once, so that a generator can ask at the very moment its measured time begins. */
export function treeCpuSeconds(pid: number): number {
  const own = parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return childrenOf(pid).reduce((sum, child) => sum + treeCpuSeconds(child), own);
}

/** childrenOf lists the children of all threads of a process (proc_pid_task(5)). */
function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
      .split(" ")
      .filter((child) => child.trim() !== "")
      .map(Number),
  );
}

/** softirqPid is the kernel's thread that handles packets on CPU 0 when there are too many to handle in passing. */
export function softirqPid(): number | undefined {
  const name = readdirSync("/proc").find((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readFileSync(`/proc/${entry}/comm`, "utf8").trim() === "ksoftirqd/0";
    } catch {
      return false; // it has ended meanwhile
    }
  });
  return name === undefined ? undefined : Number(name);
}
