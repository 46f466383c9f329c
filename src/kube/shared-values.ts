/** Distinct values remembered, and the longest that is worth it, in characters of JSON. */
const MOST = 4096;
const LONGEST = 500;

/** SharedValues lets equal plain values be one object: of ten thousand Services most have the same few shapes. It
 *  forgets everything when it is full, which costs memory and nothing else. */
export class SharedValues {
  readonly #byText = new Map<string, unknown>();
  /** The values that others share already: known without a look at what is in them. */
  #firsts = new WeakSet<object>();

  /** share gives the first value that was equal to this one. Values that are shared must never be changed. */
  share<T>(value: T): T {
    const whole = typeof value === "object" && value !== null ? value : undefined;
    if (whole !== undefined && this.#firsts.has(whole)) return value;
    const text = JSON.stringify(value);
    if (text.length > LONGEST) return value;
    const known = this.#byText.get(text) as T | undefined;
    if (known !== undefined) return known;
    if (this.#byText.size >= MOST) {
      this.#byText.clear();
      this.#firsts = new WeakSet();
    }
    this.#byText.set(text, value);
    if (whole !== undefined) this.#firsts.add(whole);
    return value;
  }
}
