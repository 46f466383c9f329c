import { readFileSync } from "node:fs";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { err, ok, type Result } from "#values";

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

/** GivenSettings is everything that was set, by flag name. */
export type GivenSettings = ReadonlyMap<string, readonly Given[]>;

export interface SettingSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configFile: string | null;
}

/** gather takes each setting from its highest source. The error is all faults at once. */
export function gather(
  settings: readonly Setting[],
  sources: SettingSources,
): Result<GivenSettings, readonly string[]> {
  const file = readConfig(settings, sources.configFile);
  const found = new Map<string, readonly Given[]>();
  for (const setting of settings) {
    const given =
      fromFlag(setting, sources.flags) ??
      fromEnv(setting, sources.env) ??
      (file.ok ? file.value.get(setting.flag) : undefined);
    if (given !== undefined) found.set(setting.flag, given);
  }
  return file.ok ? ok(found) : file;
}

/** camelCase is the configuration file's key for a flag. */
export function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** envName is the environment variable for a flag. */
export function envName(flag: string): string {
  return `MERIDIAN_${flag.toUpperCase().replaceAll("-", "_")}`;
}

function fromFlag({ flag }: Setting, flags: SettingSources["flags"]): readonly Given[] | undefined {
  const value = flags[camelCase(flag)];
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  const texts = Array.isArray(value) ? value : [value];
  return texts.map((text) => ({ text: String(text), place: `--${flag}` }));
}

function fromEnv({ flag, repeat }: Setting, env: SettingSources["env"]): readonly Given[] | undefined {
  const name = envName(flag);
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  const texts = repeat === true ? value.split(",").map((part) => part.trim()) : [value];
  return texts.map((text) => ({ text, place: name }));
}

function readConfig(settings: readonly Setting[], path: string | null): Result<GivenSettings, readonly string[]> {
  if (path === null) return ok(new Map());
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return err([
      `--config ${path}: ${(error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error)}`,
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined) return err([`${path}:${broken.linePos?.[0].line ?? 1}: ${broken.message.split("\n")[0]}`]);
  if (document.contents === null) return ok(new Map());
  if (!isMap(document.contents)) return err([`${path}:1: must be a map of settings, as "podCidr: 10.244.0.0/16"`]);
  const known = new Map(settings.map((setting) => [camelCase(setting.flag), setting]));
  const found = new Map<string, readonly Given[]>();
  const faults: string[] = [];
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : "?";
    const place = `${path}:${lines.linePos(isScalar(key) ? (key.range?.[0] ?? 0) : 0).line}: ${name}`;
    const setting = known.get(name);
    if (setting === undefined) faults.push(`${place}: unknown key; known are ${[...known.keys()].join(", ")}`);
    else if (setting.secret === true) faults.push(`${place}: a secret does not stand here; use ${name}File`);
    else {
      const texts = textsOf(value, setting);
      if (texts === undefined)
        faults.push(`${place}: must be ${setting.repeat === true ? "a value or a list of values" : "one value"}`);
      else
        found.set(
          setting.flag,
          texts.map((item) => ({ text: item, place })),
        );
    }
  }
  return faults.length > 0 ? err(faults) : ok(found);
}

function textsOf(node: unknown, { repeat }: Setting): readonly string[] | undefined {
  const plain = (item: unknown): string | undefined =>
    isScalar(item) && item.value !== null ? String(item.value) : undefined;
  if (repeat === true && isSeq(node)) {
    const texts = node.items.map(plain);
    return texts.every((text) => text !== undefined) ? (texts as string[]) : undefined;
  }
  const one = plain(node);
  return one === undefined ? undefined : [one];
}
