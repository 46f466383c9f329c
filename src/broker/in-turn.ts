/** inTurn makes of something that is costly for each item something that is done for one item in each turn of the event
 *  loop, in the order in which they came: whoever waits for anything else waits for one of them, not for all. It bounds
 *  nothing: who comes is only put in order. */
export function inTurn<T>(take: (item: T) => void): (item: T) => void {
  const waiting: T[] = [];
  const next = (): void => {
    const item = waiting.shift();
    if (waiting.length > 0) setImmediate(next);
    if (item !== undefined) take(item);
  };
  return (item) => {
    if (waiting.push(item) === 1) setImmediate(next);
  };
}
