/** Counted is a set whose members stay as long as anybody put them in: each put needs its own take. */
export class Counted<T> {
  readonly #counts = new Map<T, number>();

  put(items: Iterable<T>): void {
    for (const item of items) this.#counts.set(item, (this.#counts.get(item) ?? 0) + 1);
  }

  take(items: Iterable<T>): void {
    for (const item of items) {
      const left = (this.#counts.get(item) ?? 0) - 1;
      if (left > 0) this.#counts.set(item, left);
      else this.#counts.delete(item);
    }
  }

  /** sorted lists the members. */
  sorted(): readonly T[] {
    return [...this.#counts.keys()].sort();
  }
}
