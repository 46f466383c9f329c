/** Latest holds one value. A slow reader skips values; it never falls behind. Take changed() before reading value. */
export class Latest<T> {
  #value: T;
  #wakes: (() => void)[] = [];

  constructor(first: T) {
    this.#value = first;
  }

  get value(): T {
    return this.#value;
  }

  set(next: T): void {
    this.#value = next;
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** changed resolves at the next set. */
  changed(): Promise<void> {
    return new Promise((wake) => {
      this.#wakes.push(wake);
    });
  }
}
