import type { ConfigFile } from "./config-file.ts";
import { envName, type Given, type GivenSettings, type Setting } from "./setting.ts";

export interface SettingSources {
  /** Values by flag, in the order in which they were given; a switch has `true`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the configuration says, where there is one. */
  readonly config: ConfigFile | null;
}

/** gather takes each setting from its highest source. */
export function gather(settings: readonly Setting[], sources: SettingSources): GivenSettings {
  const { flags, env, config } = sources;
  const file = config ?? NO_FILE;
  const values = new Map<string, readonly Given[]>();
  const unread = new Set<string>(file.unread);
  for (const setting of settings) {
    const given = fromFlag(setting, flags) ?? fromEnv(setting, env) ?? file.values.get(setting.flag);
    if (given !== undefined) values.set(setting.flag, given);
  }
  return { values, faults: file.faults, unread, notices: file.notices };
}

const NO_FILE: ConfigFile = { values: new Map(), faults: [], unread: new Set(), notices: [] };

/** configFileOf finds the configuration: `--config`, else $MERIDIAN_CONFIG. */
export function configFileOf({ flags, env }: Pick<SettingSources, "flags" | "env">): Given | null {
  const config: Setting = { flag: "config", value: "FILE", help: "" };
  return (fromFlag(config, flags) ?? fromEnv(config, env))?.at(-1) ?? null;
}

function fromFlag({ flag }: Setting, flags: SettingSources["flags"]): readonly Given[] | undefined {
  return flags.get(flag)?.map((text) => ({ text, place: `--${flag}` }));
}

/** An empty variable counts as not set, as shells and units often leave one behind; a list is joined by commas. */
function fromEnv({ flag, repeat }: Setting, env: SettingSources["env"]): readonly Given[] | undefined {
  const name = envName(flag);
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  const texts = repeat === true ? value.split(",").map((part) => part.trim()) : [value];
  return texts.map((text) => ({ text, place: name }));
}
