import type { Libc } from "./libc.ts";

/** Of sched.h and sys/resource.h; the same on every architecture of Linux. */
const SCHED_RR = 2;
const SCHED_RESET_ON_FORK = 0x40000000;
const PRIO_PROCESS = 0;
/** The lowest of the real-time priorities: above every ordinary thread, below whatever else is real-time. */
const REAL_TIME = 1;
const NICEST_TO_US = -19;

/** ThreadPriority is what the machine allowed: real-time, or a better share, or neither. */
export type ThreadPriority = "real-time" | "raised" | "ordinary";

/** raisePriority puts the calling thread before ordinary work. A thread that only sends and answers small packets takes
 *  some microseconds at a time; if it has to wait for a busy core, this end or the other believes that a healthy tunnel
 *  is dead. (keepalived and corosync do the same.) It needs CAP_SYS_NICE; sched(7), setpriority(2). */
export function raisePriority(libc: Libc): ThreadPriority {
  libc.scratch.view.setInt32(0, REAL_TIME, true);
  // Pid 0 is the calling thread, for both calls: Linux schedules threads.
  if (libc.sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, libc.scratch.address) === 0) return "real-time";
  return libc.setpriority(PRIO_PROCESS, 0, NICEST_TO_US) === 0 ? "raised" : "ordinary";
}
