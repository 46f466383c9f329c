/** Mailbox keeps what happened, and lets a test wait for what it expects. */
export class Mailbox<T> {
  readonly all: T[] = [];
  #wakes: (() => void)[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** first resolves with the first item from a place on, of those so far or to come, that fits. */
  async first(fits: (item: T) => boolean = () => true, from = 0): Promise<T> {
    for (;;) {
      const found = this.all.slice(from).find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }
}
