import { type Document, isMap, isScalar, isSeq, type Pair } from "yaml";
import { err, nearest, ok, type Result } from "#values";
import { lineOf, type OpenYaml, openYaml, openYamls, textOf } from "./open-yaml.ts";
import { readText } from "./read-text.ts";
import { camelCase, type Given, type GivenSettings, type Setting } from "./setting.ts";
import { isSubmariner, readSubmariner } from "./submariner-config.ts";
import type { SubmarinerKind } from "./submariner-fields.ts";

/** ConfigFile is what a configuration says, by flag, and everything that is wrong with it. */
export type ConfigFile = GivenSettings;

/** ConfigReader is a verb as far as its configuration goes. */
export interface ConfigReader {
  readonly settings: readonly Setting[];
  /** The resource of Submariner that its configuration may be. */
  readonly submariner?: SubmarinerKind;
}

/** readConfig reads YAML whose keys are the flags in camelCase, or resources of Submariner. Keys of `others` may stand
 *  there and are passed over, so that a daemon and the verbs that ask it share one file; a key that nobody knows is a
 *  fault. */
export function readConfig(file: Given, verb: ConfigReader, others: readonly Setting[]): ConfigFile {
  const read = readWhole(file, verb, others);
  if (read.ok) return read.value;
  return { values: new Map(), faults: read.error, unread: new Set(verb.settings.map(({ flag }) => flag)), notices: [] };
}

/** The error is why nothing of the file can be taken. */
function readWhole(
  { text: path, place }: Given,
  verb: ConfigReader,
  others: readonly Setting[],
): Result<ConfigFile, readonly string[]> {
  const text = path === "" ? err("must not be empty") : readText(path);
  if (!text.ok) return err([`${place} ${path}: ${text.error}`]);
  if (text.value.includes("submariner.io/")) {
    const resources = openYamls(path, text.value);
    if (!resources.ok) return resources;
    if (isSubmariner(resources.value)) return readSubmariner(path, resources.value, verb);
  }
  const opened = openYaml(path, text.value);
  if (!opened.ok) return opened;
  const { contents } = opened.value.document;
  return contents === null || isMap(contents)
    ? ok(readMap(path, opened.value, verb.settings, others))
    : err([`${path}:1: must be a map of settings, as "podCidr: 10.244.0.0/16"`]);
}

function readMap(
  path: string,
  { document, lines }: OpenYaml,
  settings: readonly Setting[],
  others: readonly Setting[],
): ConfigFile {
  const known = new Map(settings.filter(isKey).map((setting) => [camelCase(setting.flag), setting]));
  const passed = new Set(others.filter(isKey).map(({ flag }) => camelCase(flag)));
  const values = new Map<string, readonly Given[]>();
  const faults: string[] = [];
  const unread = new Set<string>();
  for (const pair of pairsOf(document)) {
    const name = isScalar(pair.key) ? String(pair.key.value) : "?";
    const place = `${path}:${lineOf(pair.key, lines)}: ${name}`;
    const setting = known.get(name);
    const texts = setting === undefined ? unknownKey(name, [...known.keys()], passed) : textsOf(pair.value, setting);
    if (texts === null) continue;
    if (!texts.ok) {
      faults.push(`${place}: ${texts.error}`);
      if (setting !== undefined) unread.add(setting.flag);
    } else if (setting !== undefined) {
      const placed = texts.value.map(({ text, node }) => ({
        text,
        place: `${path}:${lineOf(node, lines)}: ${name}`,
      }));
      values.set(setting.flag, placed);
    }
  }
  return { values, faults, unread, notices: [] };
}

function pairsOf({ contents }: Document): readonly Pair[] {
  return isMap(contents) ? (contents.items as readonly Pair[]) : [];
}

/** A configuration cannot name another one. */
function isKey({ flag }: Setting): boolean {
  return flag !== "config";
}

/** Null for a key that another verb reads. */
function unknownKey(name: string, known: readonly string[], passed: ReadonlySet<string>): Result<never> | null {
  if (passed.has(name)) return null;
  const meant = nearest(name, known);
  return err(
    meant === undefined ? `unknown key; known are ${known.join(", ")}` : `unknown key; did you mean ${meant}?`,
  );
}

interface Item {
  readonly text: string;
  readonly node: unknown;
}

function textsOf(node: unknown, { flag, value, repeat, secret }: Setting): Result<readonly Item[]> {
  if (secret === true) return err(`a secret does not stand here; use ${camelCase(flag)}File`);
  const nodes: readonly unknown[] = repeat === true && isSeq(node) ? node.items : [node];
  const items = nodes.flatMap((item): readonly Item[] => {
    const text = textOf(item);
    return text === undefined ? [] : [{ text, node: item }];
  });
  if (items.length === nodes.length) return ok(items);
  const what = value === null ? "true or false" : `one value, as ${camelCase(flag)}: ${value}`;
  return err(`must be ${repeat === true ? `${what}, or a list of them` : what}`);
}
