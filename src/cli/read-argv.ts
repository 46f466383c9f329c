import { nearest } from "#values";
import { camelCase, type Setting } from "./setting.ts";

/** Argument is a value without a flag, by its place. */
export interface Argument {
  readonly name: string;
  readonly help: string;
  /** It may be left out; only the last ones may. */
  readonly optional?: true;
}

/** ReadArgv is one call as it was typed, with everything that is wrong with its form. */
export interface ReadArgv {
  readonly args: readonly string[];
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly string[];
}

/** Stands in a list of values for a flag that was given without one. */
export const NO_VALUE = "\0none";

/** readArgv checks what commander took apart: it would end at the first fault, and take the last of two values.
 *  `words` are what belongs to no flag, unknown flags included; `options` are values by camelCase name. */
export function readArgv(
  { words, options }: { readonly words: readonly string[]; readonly options: Readonly<Record<string, unknown>> },
  settings: readonly Setting[],
  wanted: readonly Argument[],
): ReadArgv {
  const faults: string[] = [];
  const flags = new Map<string, readonly string[]>();
  for (const setting of settings) {
    const value = options[camelCase(setting.flag)];
    if (value === undefined) continue;
    const texts = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
    flags.set(
      setting.flag,
      texts.filter((text) => text !== NO_VALUE),
    );
    faults.push(...formFaults(setting, texts));
  }
  const strange = words.filter((word) => word.length > 1 && word.startsWith("-"));
  faults.push(...strange.map((word) => unknownFlag(word, settings)));
  return { args: words, flags, faults: [...faults, ...(strange.length > 0 ? [] : countFaults(words, wanted))] };
}

function formFaults({ flag, value, repeat }: Setting, texts: readonly string[]): readonly string[] {
  const faults = texts.includes(NO_VALUE) ? [`--${flag}: needs a value: --${flag} ${value}`] : [];
  const twice = repeat !== true && texts.length > 1;
  return twice ? [...faults, `--${flag}: is given ${texts.length} times: give it once`] : faults;
}

/** Only the flag is shown: what follows it may be a secret. */
function unknownFlag(word: string, settings: readonly Setting[]): string {
  const flag = word.replace(/=.*$/s, "");
  const known = settings.map((setting) => `--${setting.flag}`);
  if (known.includes(flag)) return `${flag}: takes no value: write ${flag} alone`;
  const meant = nearest(flag, known);
  return `${flag}: unknown flag; ${meant === undefined ? "-h lists those there are" : `did you mean ${meant}?`}`;
}

/** What follows an unknown flag may be its value, so arguments are counted only where all flags are known. */
function countFaults(words: readonly string[], wanted: readonly Argument[]): readonly string[] {
  const missing = wanted.filter(({ optional }, at) => optional !== true && (words[at] ?? "") === "");
  const extra = words.slice(wanted.length);
  return [
    ...missing.map(({ name, help }) => `<${name}> is missing: give ${help}`),
    ...extra.map((word) => `${JSON.stringify(word)}: unexpected argument: leave it out`),
  ];
}
