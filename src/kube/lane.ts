/** Lane runs one piece of work after the other: several that each keep to a time slice would add up within one turn of
 *  the event loop. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** run waits for all that was given before. Its result is the work's own, failures included. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
