import { inspect } from "node:util";

/** Secret holds text that no log, error or answer may show: it prints as `(secret)` and must be opened by name. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** reveal is the only way to the text: each call is a place to look at in a review. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "(secret)";
  }

  toJSON(): string {
    return "(secret)";
  }

  [inspect.custom](): string {
    return "(secret)";
  }
}
