import { isDeepStrictEqual } from "node:util";
import type { Definition, ManifestKind } from "./manifest-object.ts";

/** ObjectKey names an object: `Service shop/web`. Both versions of an API are one object. */
export type ObjectKey = `${ManifestKind} ${string}/${string}`;

export function objectKey({ kind, namespace, name }: Pick<Definition, "kind" | "namespace" | "name">): ObjectKey {
  return `${kind} ${namespace}/${name}`;
}

/** Definitions knows who defines each object. Where several files do, the first by name is in force, whatever the order
 *  in which they came. A file defines an object at most once. */
export class Definitions {
  /** A list only where files compete, which is rare: most objects cost one map entry. */
  readonly #byKey = new Map<ObjectKey, Definition | Definition[]>();
  readonly #contested = new Set<ObjectKey>();
  readonly #onWinner: (before: Definition | undefined, after: Definition | undefined) => void;

  /** onWinner hears when what is in force changes: its content, or only its place (then the bodies are identical). */
  constructor(onWinner: (before: Definition | undefined, after: Definition | undefined) => void) {
    this.#onWinner = onWinner;
  }

  get(key: ObjectKey): Definition | undefined {
    const found = this.#byKey.get(key);
    return Array.isArray(found) ? found[0] : found;
  }

  /** put takes a file's definition, new or again. An equal body is replaced by the one that is there. */
  put(definition: Definition): void {
    const key = objectKey(definition);
    if (!this.#byKey.has(key)) return this.#store(key, undefined, [definition]); // as nearly all are
    const all = this.#all(key);
    const mine = all.find(({ file }) => file === definition.file);
    if (mine?.line === definition.line && isDeepStrictEqual(mine.body, definition.body)) return;
    const same = all.find(({ body }) => isDeepStrictEqual(body, definition.body));
    const shared = same === undefined ? definition : ({ ...definition, body: same.body } as Definition);
    const others = all.filter(({ file }) => file !== definition.file);
    this.#store(key, all[0], [...others, shared].sort(byFile));
  }

  remove(definition: Definition): void {
    const key = objectKey(definition);
    const all = this.#all(key);
    this.#store(
      key,
      all[0],
      all.filter(({ file }) => file !== definition.file),
    );
  }

  /** losers lists the definitions that are not in force, each with the one that is. */
  *losers(): Iterable<{ readonly loser: Definition; readonly winner: Definition }> {
    for (const key of this.#contested) {
      const [winner, ...rest] = this.#all(key);
      if (winner !== undefined) for (const loser of rest) yield { loser, winner };
    }
  }

  #all(key: ObjectKey): readonly Definition[] {
    const found = this.#byKey.get(key);
    if (found === undefined) return [];
    return Array.isArray(found) ? found : [found];
  }

  #store(key: ObjectKey, before: Definition | undefined, next: Definition[]): void {
    const [after] = next;
    if (after === undefined) this.#byKey.delete(key);
    else this.#byKey.set(key, next.length === 1 ? after : next);
    if (next.length > 1) this.#contested.add(key);
    else if (this.#contested.size > 0) this.#contested.delete(key);
    if (before !== after) this.#onWinner(before, after);
  }
}

function byFile(a: Definition, b: Definition): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : 0;
}
