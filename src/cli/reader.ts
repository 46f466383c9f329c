import { readFileSync } from "node:fs";
import { Secret } from "#life";
import type { Result } from "#values";
import type { Given, GivenSettings } from "./settings.ts";

/** Reader turns given settings into values and gathers every fault, so that a user sees all of them at once. */
export class Reader {
  readonly faults: string[] = [];
  readonly #given: GivenSettings;

  constructor(given: GivenSettings) {
    this.#given = given;
  }

  /** one reads a single value; null where it was not set and no fallback is given. */
  one<T>(flag: string, parse: (text: string) => Result<T>, fallback?: string): T | null {
    const given = this.#last(flag) ?? (fallback === undefined ? undefined : { text: fallback, place: `--${flag}` });
    return given === undefined ? null : this.#parse(given, parse);
  }

  /** need reads a value without which nothing works. The remedy is an example. */
  need<T>(flag: string, parse: (text: string) => Result<T>, example: string): T | null {
    if (!this.#given.has(flag)) {
      this.faults.push(`--${flag} is missing: give ${example}`);
      return null;
    }
    return this.one(flag, parse);
  }

  many<T>(flag: string, parse: (text: string) => Result<T>): readonly T[] {
    return (this.#given.get(flag) ?? []).flatMap((given) => {
      const value = this.#parse(given, parse);
      return value === null ? [] : [value];
    });
  }

  has(flag: string): boolean {
    return this.#given.has(flag);
  }

  /** secret reads `--flag` or the first line of the file that `--flag-file` names. */
  secret(flag: string): Secret | null {
    const direct = this.#last(flag);
    if (direct !== undefined) return new Secret(direct.text.trim());
    const file = this.#last(`${flag}-file`);
    if (file === undefined) return null;
    try {
      return new Secret((readFileSync(file.text, "utf8").split("\n")[0] ?? "").trim());
    } catch (error) {
      const why =
        (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message;
      this.faults.push(`${file.place} ${file.text}: ${why}`);
      return null;
    }
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  #last(flag: string): Given | undefined {
    return this.#given.get(flag)?.at(-1);
  }

  #parse<T>({ text, place }: Given, parse: (text: string) => Result<T>): T | null {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    this.faults.push(`${place}: ${parsed.error}`);
    return null;
  }
}
