import type { ConfigFile } from "./config-file.ts";
import { configFileOf, gather } from "./gather.ts";
import { readArgv } from "./read-argv.ts";
import type { Given, Setting } from "./setting.ts";
import type { ExitCode, Surroundings, Verb } from "./verb.ts";

/** One invocation of the program. */
export interface Run {
  readonly around: Surroundings;
  readonly signal: AbortSignal;
  readonly finish: (code: ExitCode) => void;
}

/** Typed is a call taken apart: what belongs to no flag, and values by camelCase name of their flag. */
export interface Typed {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** runVerb gathers what was set and runs a verb with it. `others` are settings of other verbs: a daemon's configuration
 *  says where its data are, so the verbs that ask it read the same file. */
export async function runVerb(
  verb: Verb,
  typed: Typed,
  others: readonly Setting[],
  { around, signal }: Run,
): Promise<ExitCode> {
  const { args, flags, faults } = readArgv(typed, verb.settings, verb.args ?? []);
  const { env } = around;
  const configured = verb.settings.some(({ flag }) => flag === "config");
  const file = configured ? configFileOf({ flags, env }) : null;
  const config = file === null ? null : await readFile(file, verb, others);
  const given = gather(verb.settings, { flags, env, config });
  return verb.run({ args, given: { ...given, faults: [...faults, ...given.faults] }, around, signal });
}

/** The parser of configurations is loaded where there is one. */
async function readFile(file: Given, verb: Verb, others: readonly Setting[]): Promise<ConfigFile> {
  const { readConfig } = await import("./config-file.ts");
  return readConfig(file, verb, others);
}
