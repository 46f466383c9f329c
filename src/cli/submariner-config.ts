import { type Document, isMap, isScalar, isSeq, type LineCounter, type YAMLMap } from "yaml";
import { err, ok, type Result } from "#values";
import { lineOf, type OpenYamls, textOf } from "./open-yaml.ts";
import type { Given, GivenSettings, Setting } from "./setting.ts";
import { FIELDS, missingFault, SUBMARINER_KINDS, type SubmarinerKind } from "./submariner-fields.ts";

const GROUP = "submariner.io/";
const VERSION = "submariner.io/v1alpha1";

/** isSubmariner reports whether a text holds a resource of Submariner, whichever. */
export function isSubmariner({ documents }: OpenYamls): boolean {
  return documents.flatMap(nodesOf).some((node) => isMap(node) && wordOf(node, "apiVersion").startsWith(GROUP));
}

/** What reads them: the settings that there are, and the kind that they come from. */
interface Wanted {
  readonly settings: readonly Setting[];
  readonly submariner?: SubmarinerKind;
}

/** readSubmariner turns the one resource of the kind that is wanted into settings, each at its line. The other kind is
 *  passed over; what else stands there means nothing here, and one notice names it. The error is why there is nothing to
 *  read. */
export function readSubmariner(
  path: string,
  { documents, lines }: OpenYamls,
  { settings, submariner: kind }: Wanted,
): Result<GivenSettings, readonly string[]> {
  if (kind === undefined)
    return err([`${path}:1: resources of Submariner are read by broker, gateway and install alone`]);
  const text = new Resources(path, lines);
  const found = documents.flatMap(nodesOf).filter((node) => text.sort(node) === kind) as readonly YAMLMap[];
  const [first, second] = found;
  if (second !== undefined) text.fault(second, `is another ${kind}: give a file with one`);
  if (first === undefined && text.faults.length === 0) text.faults.push(`${path}:1: holds no ${kind} of ${VERSION}`);
  if (first === undefined) return err(text.faults);
  text.read(first, kind, new Set(settings.map(({ flag }) => flag)));
  return ok(text);
}

/** Resources gathers what the resources of one text say. */
class Resources implements GivenSettings {
  readonly values = new Map<string, readonly Given[]>();
  readonly faults: string[] = [];
  readonly unread = new Set<string>();
  readonly #path: string;
  readonly #lines: LineCounter;
  /** What means nothing here, by name, with the reason where there is one. */
  readonly #idle: string[] = [];

  constructor(path: string, lines: LineCounter) {
    this.#path = path;
    this.#lines = lines;
  }

  get notices(): readonly string[] {
    return this.#idle.length === 0 ? [] : [`${this.#path}: means nothing here: ${this.#idle.join(", ")}`];
  }

  /** sort finds what a document is; undefined where it is none of Submariner's, or not one that is known. */
  sort(node: unknown): SubmarinerKind | undefined {
    if (!isMap(node)) return void this.fault(node, `must be a resource, with "apiVersion: ${VERSION}"`);
    const [version, name] = [wordOf(node, "apiVersion"), wordOf(node, "kind")];
    const kind = SUBMARINER_KINDS.find((known) => known === name);
    if (kind === undefined || !version.startsWith(GROUP)) {
      this.#idle.push(name === "" ? "what has no kind" : `the ${name}`);
      return undefined;
    }
    if (version === VERSION) return kind;
    return void this.fault(node.get("apiVersion", true), `apiVersion: must be ${VERSION}: ${JSON.stringify(version)}`);
  }

  /** read takes the spec of a resource; metadata and status set nothing. */
  read(resource: YAMLMap, kind: SubmarinerKind, flags: ReadonlySet<string>): void {
    const spec = resource.get("spec", true) as unknown;
    const isEmpty = spec === undefined || (isScalar(spec) && spec.value === null);
    if (!isEmpty && !isMap(spec)) return this.fault(spec, "spec: must be a map");
    const texts = new Map<string, string>();
    for (const { key, value } of isMap(spec) ? spec.items : []) {
      const name = textOf(key) ?? "?";
      texts.set(name, textOf(value) ?? "");
      this.#field({ name, key, value }, kind, flags);
    }
    const missing = missingFault(kind, texts);
    if (missing !== null) this.fault(isMap(spec) ? spec : resource, missing);
  }

  fault(node: unknown, reason: string): void {
    this.faults.push(`${this.#path}:${lineOf(node, this.#lines)}: ${reason}`);
  }

  #field({ name, key, value }: Entry, kind: SubmarinerKind, flags: ReadonlySet<string>): void {
    const field = FIELDS[kind].get(name);
    if (field === undefined) return void this.#idle.push(name);
    const { flag, why } = field;
    const read = isScalar(value) ? field.read(textOf(value) ?? "") : err("must be one value, no list and no map");
    const known = flag !== undefined && flags.has(flag);
    if (!read.ok) {
      this.fault(key, `${name}: ${read.error}`);
      if (known) this.unread.add(flag);
    } else if (known && read.value.length > 0) {
      const place = `${this.#path}:${lineOf(value, this.#lines)}: ${name}`;
      this.values.set(
        flag,
        read.value.map((text) => ({ text, place })),
      );
    } else if (why !== undefined && (flag === undefined || read.value.length > 0)) this.#idle.push(`${name} (${why})`);
  }
}

interface Entry {
  readonly name: string;
  readonly key: unknown;
  readonly value: unknown;
}

/** The resources of a document: itself, or the items of a List, as kubectl writes several. Empty documents hold none. */
function nodesOf({ contents }: Document): readonly unknown[] {
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  const items = isMap(contents) && wordOf(contents, "kind") === "List" ? contents.get("items") : undefined;
  return isSeq(items) ? items.items : [contents];
}

function wordOf(node: YAMLMap, key: string): string {
  return textOf(node.get(key, true)) ?? "";
}
