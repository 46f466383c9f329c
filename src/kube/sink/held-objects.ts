import type { ObjectFollower } from "../api/list-watch.ts";
import { isOlder } from "../api/watch-text.ts";
import type { Held } from "./held.ts";

/** HeldObjects is what is known of the objects of one kind: by the watch, and by the answers to our own writes, which
 *  come earlier. */
export class HeldObjects<T extends Held> {
  readonly #objects = new Map<string, T>();
  readonly #read: (object: unknown) => T | undefined;
  readonly #changed: (key: string, before: T | undefined, after: T | undefined) => void;
  #listed = false;
  #away = false;

  constructor(
    read: (object: unknown) => T | undefined,
    changed: (key: string, before: T | undefined, after: T | undefined) => void,
  ) {
    this.#read = read;
    this.#changed = changed;
  }

  /** listed is true once all objects of the kind are known. */
  get listed(): boolean {
    return this.#listed;
  }

  /** away is true while the API server cannot be heard: then it is not written to, either. */
  get away(): boolean {
    return this.#away;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  entries(): Iterable<[string, T]> {
    return this.#objects.entries();
  }

  /** put takes an object, unless what is known is newer. */
  put(key: string, object: unknown): T | undefined {
    const next = this.#read(object);
    const before = this.#objects.get(key);
    if (next === undefined) return undefined;
    if (before !== undefined && isOlder(next.meta.resourceVersion, before.meta.resourceVersion)) return before;
    this.#objects.set(key, next);
    this.#changed(key, before, next);
    return next;
  }

  remove(key: string): void {
    const before = this.#objects.get(key);
    if (!this.#objects.delete(key)) return;
    this.#changed(key, before, undefined);
  }

  /** follower keeps this up to date. `listed` hears when all is known, `back` when the API server can be heard again. */
  follower({ listed, back }: { readonly listed: () => void; readonly back: () => void }): ObjectFollower {
    return {
      put: (key, object) => void this.put(key, object),
      remove: (key) => this.remove(key),
      listed: () => {
        this.#listed = true;
        listed();
      },
      fault: (fault) => {
        if (fault === null && this.#away) back();
        this.#away = fault !== null; // what was heard before stays
      },
    };
  }
}
