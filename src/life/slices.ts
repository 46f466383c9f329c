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
    await turn();
    signal?.throwIfAborted();
    start = performance.now();
  }
}

const waiting: (() => void)[] = [];

/** turn resolves in a later turn of the event loop, where nobody else who waits for one goes on: several long lists
 *  at once delay everything else no more than one does. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(goOn);
  });
}

function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}
