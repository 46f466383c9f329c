/** Room is a part of a daemon with one lifetime: run returns only when all it started has stopped. */
export interface Room {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** runAll runs rooms until signal aborts. A room that ends sooner, well or badly, ends them all.
 *  Throws an AggregateError of what the rooms threw, unless all ended because of the signal. */
export async function runAll(rooms: readonly Room[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const ends = await Promise.allSettled(
    rooms.map(async (room) => {
      try {
        await room.run(both);
        if (!both.aborted) throw new Error(`${room.name} ended early`);
      } catch (reason) {
        if (!(both.aborted && isAbort(reason))) throw reason;
      } finally {
        stop.abort();
      }
    }),
  );
  const faults = ends.filter((end) => end.status === "rejected").map((end): unknown => end.reason);
  if (faults.length > 0) throw new AggregateError(faults, `rooms failed: ${faults.map(String).join("; ")}`);
}

/** isAbort reports whether something thrown only says that its signal was aborted. */
export function isAbort(reason: unknown): boolean {
  return reason instanceof Error && (reason.name === "AbortError" || reason.name === "TimeoutError");
}

/** aborted resolves when the signal aborts: for rooms that only react. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
