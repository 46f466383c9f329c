/** steadyTime is time in milliseconds that never jumps, and that threads of one process agree upon: each thread's own
 *  clock begins with the thread. */
export function steadyTime(): number {
  return performance.timeOrigin + performance.now();
}
