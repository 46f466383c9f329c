import type { Clock } from "#life";
import type { Argument } from "./read-argv.ts";
import { safeText } from "./safe-text.ts";
import type { GivenSettings, Setting } from "./setting.ts";
import type { SubmarinerKind } from "./submariner-fields.ts";

/** Surroundings is all of the process that a verb may see. */
export interface Surroundings {
  out(text: string): void;
  err(text: string): void;
  /** Whether stderr is a terminal: progress and text logs go there only then. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of signals that ask a daemon to read its configuration again: SIGUSR1 and SIGHUP. */
  onReload(listener: () => void): void;
  /** Tells the service manager that the daemon serves (sd_notify), where there is one. */
  notify(state: string): void;
}

/** Call is one invocation of a verb: its arguments and what was set. */
export interface Call {
  readonly args: readonly string[];
  readonly given: GivenSettings;
  readonly around: Surroundings;
  /** Aborts at SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

/** ExitCode: 0 done, 1 it failed, 2 the call or the configuration is wrong. */
export type ExitCode = 0 | 1 | 2;

export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  /** All of them are needed, unless they say otherwise. */
  readonly args?: readonly Argument[];
  readonly settings: readonly Setting[];
  /** Verbs below this one; unless it is a daemon, it is never run itself then. */
  readonly verbs?: readonly Verb[];
  /** It serves until a signal; its configuration holds nothing that it does not know. */
  readonly daemon?: true;
  /** The resource of Submariner that its configuration may be. */
  readonly submariner?: SubmarinerKind;
  run(call: Call): Promise<ExitCode>;
}

/** isCalled reports whether a verb does anything itself, beside the verbs below it. */
export function isCalled({ verbs, daemon }: Verb): boolean {
  return verbs === undefined || daemon === true;
}

/** refuse prints faults, one a line, and is the exit code for a wrong call. */
export function refuse({ err }: Surroundings, faults: readonly string[]): ExitCode {
  for (const fault of faults) err(`meridian: ${safeText(fault)}\n`);
  return 2;
}

/** fail prints why something that was rightly asked for could not be done. */
export function fail({ err }: Surroundings, message: string): ExitCode {
  err(`meridian: ${safeText(message)}\n`);
  return 1;
}

export const DATA: Setting = {
  flag: "data",
  value: "DIR",
  help: "data folder of the daemon",
  fallback: "/var/lib/meridian",
};
export const OUTPUT: Setting = {
  flag: "output",
  value: "FORMAT",
  help: "json, or a table for people (short: -o)",
  fallback: "table",
};
export const CONFIG: Setting = {
  flag: "config",
  value: "FILE",
  help: "YAML with the settings below, keys in camelCase",
};
export const CONFIG_OR_SUBMARINER: Setting = { ...CONFIG, help: `${CONFIG.help}, or Submariner's resources` };
export const LOG_FORMAT: Setting = { flag: "log-format", value: "FORMAT", help: "text or json; text on a terminal" };
export const LOG_LEVEL: Setting = {
  flag: "log-level",
  value: "LEVEL",
  help: "debug, info, warn or error",
  fallback: "info",
};
export const DAEMON: readonly Setting[] = [DATA, LOG_FORMAT, LOG_LEVEL];
