/** Setting is one thing that a user may set: by flag, by environment, by the configuration file, in that order. */
export interface Setting {
  /** Flag without its dashes: `pod-cidr` is also MERIDIAN_POD_CIDR and podCidr. */
  readonly flag: string;
  /** Name of the value in the help; null for a switch. */
  readonly value: string | null;
  readonly help: string;
  readonly repeat?: boolean;
  /** Shown in the help; filled in by whoever reads the setting. */
  readonly fallback?: string;
  /** A value that must not stand in a configuration that others read: it has a -file twin. */
  readonly secret?: boolean;
}

/** Given is a value as a user wrote it, and where: the place that a fault names. */
export interface Given {
  readonly text: string;
  readonly place: string;
}

/** GivenSettings is everything that was set, and what was wrong already with the way in which it was. */
export interface GivenSettings {
  readonly values: ReadonlyMap<string, readonly Given[]>;
  /** One line each. */
  readonly faults: readonly string[];
  /** Settings that were given and could not be read: nobody is to call them missing. */
  readonly unread: ReadonlySet<string>;
  /** What was given and means nothing here, one line each: no fault, but to be told. */
  readonly notices: readonly string[];
}

/** camelCase is the configuration file's key for a flag. */
export function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** envName is the environment variable for a flag. */
export function envName(flag: string): string {
  return `MERIDIAN_${flag.toUpperCase().replaceAll("-", "_")}`;
}
