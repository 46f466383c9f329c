import { NO_VALUE } from "./read-argv.ts";
import type { Typed } from "./run-verb.ts";
import { camelCase, type Setting } from "./setting.ts";

/** quickArgv takes a call apart as the command library does, for calls of flags with values alone; null for everything
 *  else, help and what is wrong included. A test holds the two to each other. */
export function quickArgv(argv: readonly string[], settings: readonly Setting[]): Typed | null {
  const known = new Map(settings.map((setting) => [`--${setting.flag}`, setting]));
  const options: Record<string, string[]> = {};
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const equals = word.indexOf("=");
    const setting = known.get(equals === -1 ? word : word.slice(0, equals));
    if (setting === undefined || setting.value === null) return null;
    const value = equals === -1 ? argv[++at] : word.slice(equals + 1);
    if (value === undefined || value === "" || value.startsWith("-") || value === NO_VALUE) return null;
    const name = camelCase(setting.flag);
    options[name] = [...(options[name] ?? []), value];
  }
  return { words: [], options };
}
