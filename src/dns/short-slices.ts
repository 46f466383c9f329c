import type { Libc } from "./libc.ts";

/** Layout of `struct sched_attr` in its first version (sched_setattr(2)): size, policy, flags, niceness, priority, and
 *  three times in nanoseconds, the first of which is the slice for ordinary threads. */
export const SCHED_ATTR = { bytes: 48, size: 0, policy: 4, flags: 8, nice: 16, priority: 20, slice: 24 } as const;

/** The shortest that the kernel allows. */
const SLICE_NS = 100_000n;

/** askShortSlices asks the kernel to let the calling thread run for short times and soon, instead of long and late: the
 *  share of CPU is the same, only a thread that wakes for one query does not wait behind three milliseconds of somebody
 *  else's work, the zone's builder above all. That is for anybody to ask; kernels before 6.12 do not know it and change
 *  nothing, nor does a sandbox that refuses it. */
export function askShortSlices(libc: Libc): void {
  const attributes = new Uint8Array(SCHED_ATTR.bytes);
  const view = new DataView(attributes.buffer);
  view.setUint32(SCHED_ATTR.size, SCHED_ATTR.bytes, true);
  if (libc.getScheduling(0, attributes) !== 0) return; // policy and niceness stay as they are
  view.setUint32(SCHED_ATTR.size, SCHED_ATTR.bytes, true);
  view.setBigUint64(SCHED_ATTR.slice, SLICE_NS, true);
  libc.setScheduling(0, attributes);
}
