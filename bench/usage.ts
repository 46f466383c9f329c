import { readFile } from "node:fs/promises";

/** Clock ticks per second in /proc: USER_HZ is 100 on every Linux that Node runs on (proc_pid_stat(5)). */
const TICKS = 100;

/** Memory is what a process holds in RAM, in bytes. */
export interface Memory {
  /** Now (VmRSS). */
  readonly rssBytes: number;
  /** The most it ever held (VmHWM). */
  readonly peakBytes: number;
}

/** memoryOf reads the memory of a process. */
export async function memoryOf(pid: number): Promise<Memory> {
  return parseMemory(await readFile(`/proc/${pid}/status`, "utf8"));
}

/** parseMemory reads /proc/PID/status (proc_pid_status(5)); its kB are KiB. */
export function parseMemory(status: string): Memory {
  const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
  return { rssBytes: bytes("VmRSS"), peakBytes: bytes("VmHWM") };
}

/** cpuSecondsOf is the CPU time that a process has used, all its threads and the children it waited for. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  return parseCpuSeconds(await readFile(`/proc/${pid}/stat`, "utf8"));
}

/** parseCpuSeconds adds utime, stime, cutime and cstime: fields 14 to 17 of /proc/PID/stat, counted after the closing
 *  bracket of the command, which may itself hold blanks (proc_pid_stat(5)). */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** Machine is how the CPUs spent their time since boot, in ticks over all CPUs. */
export interface Machine {
  readonly total: number;
  /** Taken by the hypervisor for others while something here wanted to run. */
  readonly steal: number;
  readonly idle: number;
}

/** machine reads the first line of /proc/stat. */
export async function machine(): Promise<Machine> {
  return parseMachine(await readFile("/proc/stat", "utf8"));
}

/** parseMachine: user nice system idle iowait irq softirq steal; guest times are part of user (proc_stat(5)). */
export function parseMachine(stat: string): Machine {
  const fields = (stat.split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, iowait = 0, , , steal = 0] = fields;
  return { total: fields.reduce((sum, ticks) => sum + ticks, 0), steal, idle: idle + iowait };
}

/** stealShare is the part of the CPU time between two moments that went to others, 0 to 1. */
export function stealShare(before: Machine, after: Machine): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : (after.steal - before.steal) / total;
}

/** busyShare is the part of the CPU time between two moments in which the machine worked, 0 to 1. */
export function busyShare(before: Machine, after: Machine): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}
