import { Secret } from "#life";
import { err, ok, type Result } from "#values";
import { readText } from "./read-text.ts";
import type { Given, GivenSettings } from "./setting.ts";

/** Reader turns given settings into values and gathers every fault, so that a user sees all of them at once. */
export class Reader {
  readonly faults: string[];
  /** No faults, but to be told. */
  readonly notices: readonly string[];
  readonly #given: GivenSettings;

  constructor(given: GivenSettings) {
    this.#given = given;
    this.faults = [...given.faults];
    this.notices = given.notices;
  }

  /** one reads a single value; null where it was not set and no fallback is given, and where it is wrong. */
  one<T>(flag: string, parse: (text: string) => Result<T>, fallback?: string): T | null {
    const given = this.#last(flag) ?? (fallback === undefined ? undefined : { text: fallback, place: `--${flag}` });
    return given === undefined ? null : this.#parse(given, parse);
  }

  /** need reads a value without which nothing works. The remedy is an example. */
  need<T>(flag: string, parse: (text: string) => Result<T>, remedy: string): T | null {
    if (this.missing(flag)) this.faults.push(`--${flag} is missing: give ${remedy}`);
    return this.one(flag, parse);
  }

  many<T>(flag: string, parse: (text: string) => Result<T>): readonly T[] {
    return (this.#given.values.get(flag) ?? []).flatMap((given) => {
      const value = this.#parse(given, parse);
      return value === null ? [] : [value];
    });
  }

  /** on reads a switch: by flag it needs no value, elsewhere it has one. */
  on(flag: string): boolean {
    const parse = (text: string): Result<boolean> => {
      if (text === "true" || text === "1") return ok(true);
      return text === "false" || text === "0" ? ok(false) : err(`must be true or false: ${JSON.stringify(text)}`);
    };
    return this.one(flag, parse, "false") ?? false;
  }

  has(flag: string): boolean {
    return this.#given.values.has(flag);
  }

  /** missing reports whether nobody tried to give it. */
  missing(flag: string): boolean {
    return !this.has(flag) && !this.#given.unread.has(flag);
  }

  /** placeOf is where a setting was given, or its flag. */
  placeOf(flag: string): string {
    return this.#last(flag)?.place ?? `--${flag}`;
  }

  /** file reads the text of a file that a setting names. */
  file(flag: string): string | null {
    const named = this.#last(flag);
    if (named === undefined) return null;
    const text = named.text === "" ? err("must not be empty") : readText(named.text);
    if (text.ok) return text.value;
    this.faults.push(`${named.place} ${named.text}: ${text.error}`);
    return null;
  }

  /** secret reads `--flag` or the first line of the file that `--flag-file` names; the text is in no fault. */
  secret(flag: string): Secret | null {
    const [direct, file] = [this.#last(flag), this.#last(`${flag}-file`)];
    if (direct !== undefined && file !== undefined) {
      this.faults.push(`${direct.place} and ${file.place} are both given: give one of them`);
      return null;
    }
    const text = direct === undefined ? this.file(`${flag}-file`) : direct.text;
    const line = text?.split("\n")[0]?.trim();
    if (line === undefined) return null;
    if (line !== "") return new Secret(line);
    this.faults.push(
      file === undefined ? `${direct?.place}: must not be empty` : `${file.place} ${file.text}: is empty`,
    );
    return null;
  }

  /** spare is secret() for what may be missing or wrong: null then, and no fault. */
  spare(flag: string): Secret | null {
    const before = this.faults.length;
    const secret = this.secret(flag);
    this.faults.length = before;
    return secret;
  }

  /** fault adds one about a setting, at the place where it was given. */
  fault(flag: string, text: string): void {
    this.faults.push(`${this.placeOf(flag)}: ${text}`);
  }

  #last(flag: string): Given | undefined {
    return this.#given.values.get(flag)?.at(-1);
  }

  #parse<T>({ text, place }: Given, parse: (text: string) => Result<T>): T | null {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.faults.push(`${place}: ${parsed.error}`);
    return null;
  }
}
