import { setImmediate as nextTurn } from "node:timers/promises";

/** slices runs a step for each item and lets the event loop turn after every `budgetMs` of work, so that a long
 *  list never delays anything else by more than that. It stops between items when the signal aborts. */
export async function slices<T>(
  items: Iterable<T>,
  step: (item: T) => void,
  { budgetMs = 2, signal }: { readonly budgetMs?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  let start = performance.now();
  for (const item of items) {
    step(item);
    if (performance.now() - start < budgetMs) continue;
    await nextTurn();
    signal?.throwIfAborted();
    start = performance.now();
  }
}
