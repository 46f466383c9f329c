import type { ObjectFollower } from "../api/list-watch.ts";
import { isOlder } from "../api/watch-text.ts";
import type { Held } from "./held.ts";

/** Answers come within moments: of more than these nobody is waiting for one. */
const MOST_REMOVED = 1000;

/** HeldObjects is what is known of the objects of one kind: by the watch, and by the answers to our own writes, which
 *  come earlier. */
export class HeldObjects<T extends Held> {
  readonly #objects = new Map<string, T>();
  /** The last version of what was removed: the answer to a write may come after the watch has told of its deletion. */
  readonly #removed = new Map<string, string>();
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

  /** answered takes what the API server answered to a write; undefined where the object was deleted since. */
  answered(key: string, object: unknown): T | undefined {
    const removed = this.#removed.get(key);
    const version = this.#read(object)?.meta.resourceVersion ?? "";
    return removed !== undefined && !isOlder(removed, version) ? undefined : this.put(key, object);
  }

  /** put takes an object, unless what is known is newer. */
  put(key: string, object: unknown): T | undefined {
    const next = this.#read(object);
    const before = this.#objects.get(key);
    if (next === undefined) return undefined;
    if (before !== undefined && isOlder(next.meta.resourceVersion, before.meta.resourceVersion)) return before;
    this.#removed.delete(key);
    this.#objects.set(key, next);
    this.#changed(key, before, next);
    return next;
  }

  remove(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#removed.set(key, before.meta.resourceVersion);
    const [oldest] = this.#removed.keys();
    if (this.#removed.size > MOST_REMOVED && oldest !== undefined) this.#removed.delete(oldest);
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
