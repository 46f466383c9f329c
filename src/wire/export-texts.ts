import type { ExportBody } from "./bodies.ts";

/** ExportTexts holds a member's exports by "namespace/name" as the text that was signed, and parses one when it is
 *  asked for: ten thousand texts are a third of what the objects in them would be. Only text that was examined comes
 *  in, so it is not checked again. */
export class ExportTexts {
  readonly #texts = new Map<string, string>();
  readonly #headless = new Set<string>();

  get size(): number {
    return this.#texts.size;
  }

  get(key: string): ExportBody | undefined {
    const text = this.#texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as ExportBody);
  }

  has(key: string): boolean {
    return this.#texts.has(key);
  }

  /** isHeadless knows the type without a look at the text. */
  isHeadless(key: string): boolean {
    return this.#headless.has(key);
  }

  keys(): MapIterator<string> {
    return this.#texts.keys();
  }

  *[Symbol.iterator](): Generator<readonly [key: string, body: ExportBody]> {
    for (const [key, text] of this.#texts) yield [key, JSON.parse(text) as ExportBody];
  }

  set(key: string, text: string, type: ExportBody["type"]): void {
    this.#texts.set(key, text);
    if (type === "Headless") this.#headless.add(key);
    else this.#headless.delete(key);
  }

  delete(key: string): void {
    this.#texts.delete(key);
    this.#headless.delete(key);
  }
}
