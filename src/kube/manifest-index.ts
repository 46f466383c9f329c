import type { Namespace, ServiceName } from "#values";
import { Definitions, type ObjectKey, objectKey } from "./definitions.ts";
import type {
  Definition,
  ImportedSlice,
  LocalImport,
  LocalNode,
  ManifestObject,
  ParsedFile,
  SliceBody,
} from "./manifest-object.ts";
import type { LocalExport, Manifests } from "./manifests.ts";
import { SharedValues } from "./shared-values.ts";

type SliceDefinition = Extract<Definition, { kind: "EndpointSlice" }>;

interface FileEntry {
  readonly definitions: readonly Definition[];
  readonly namespaces: readonly string[];
  readonly ignored: number;
}

/** What one flush tells of, by "namespace/name". */
interface Flushed {
  readonly changed: readonly string[];
  readonly changedImports: readonly string[];
  readonly more: boolean;
}

/** ManifestIndex joins the objects of all files into exports, and rebuilds only those that a change concerns:
 *
 *    replace(file) ──> Definitions: who wins ──> dirty exports ──> flush() ──> manifests
 *
 *  It is in two steps so that a large file can be taken in slice by slice: between them `manifests` shows each export
 *  as it was or as it is, never a mixture. */
export class ManifestIndex {
  readonly #definitions = new Definitions((before, after) => this.#winner(before, after));
  readonly #shared = new SharedValues();
  readonly #files = new Map<string, FileEntry>();
  readonly #filesOf = new Map<string, number>();
  readonly #slicesOf = new Map<string, SliceDefinition[]>();
  readonly #importedSlices = new Map<string, SliceDefinition[]>();
  /** Exports to rebuild; true where their content changed, false where only the place of their file did. */
  readonly #dirty = new Map<string, boolean>();
  /** Imports to tell of. */
  readonly #dirtyImports = new Set<string>();
  readonly #namespaces = new Set<string>();
  readonly #exports = new Map<string, LocalExport>();
  readonly #imports = new Map<string, LocalImport>();
  readonly #nodes = new Map<string, LocalNode>();
  /** What was last given of them; null: they changed since. */
  #shownNodes: ReadonlyMap<string, LocalNode> | null = null;
  readonly #unread = new Set<string>();
  /** Objects that one file defines once more, as texts for a trouble: by file, and only where there are any. */
  readonly #repeats = new Map<string, readonly string[]>();
  #others = 0;
  readonly manifests: Manifests;

  constructor() {
    const nodes = (): Manifests["nodes"] => {
      this.#shownNodes ??= new Map(this.#nodes);
      return this.#shownNodes;
    };
    const ignored = (): number => [...this.#files.values()].reduce((sum, file) => sum + file.ignored, 0);
    this.manifests = {
      namespaces: this.#namespaces,
      exports: this.#exports,
      imports: this.#imports,
      slicesOf: (key) => (this.#importedSlices.get(key) ?? []).map(importedSlice),
      unread: this.#unread,
      get nodes() {
        return nodes();
      },
      get ignoredKinds() {
        return ignored();
      },
    };
  }

  /** otherChanges counts changes of namespaces, nodes and imports: more than before means that listeners are to hear. */
  get otherChanges(): number {
    return this.#others;
  }

  /** markUnread notes a file that could not be read, unless older content of it is in force. */
  markUnread(file: string): void {
    if (!this.#files.has(file)) this.#unread.add(file);
  }

  /** replace puts a file's new content in force in small steps: take all of them, at whatever pace. A file that is gone
   *  has no objects. Exports stay as they were until flush. */
  *replace(
    file: string,
    parts: Iterable<readonly ManifestObject[]>,
    rest: Omit<ParsedFile, "objects">,
  ): Iterable<void> {
    const next = new Map<ObjectKey, Definition>();
    const repeats: string[] = [];
    for (const part of parts) {
      for (const object of part) {
        const key = objectKey(object);
        const first = next.get(key);
        if (first !== undefined)
          repeats.push(`${file}:${object.line}: ${key} is already defined in line ${first.line}`);
        else next.set(key, this.#compact(object, file));
        yield;
      }
    }
    for (const definition of next.values()) yield this.#definitions.put(definition);
    for (const definition of this.#files.get(file)?.definitions ?? []) {
      if (!next.has(objectKey(definition))) yield this.#definitions.remove(definition);
    }
    this.#enter(file, [...next.values()], rest, repeats);
  }

  /** has reports whether a file is in force. */
  has(file: string): boolean {
    return this.#files.has(file);
  }

  /** remove is replace for a file that is gone. */
  *remove(file: string): Iterable<void> {
    yield* this.replace(file, [], { namespaces: [], ignored: 0, faults: [] });
    this.#files.delete(file);
  }

  /** flush rebuilds up to `max` exports and names those whose content changed, and up to as many imports. Both empty
   *  and not `more`: all is done. */
  flush(max: number): Flushed {
    const changed: string[] = [];
    let left = max;
    for (const [key, content] of this.#dirty) {
      if (left-- === 0) break;
      this.#dirty.delete(key);
      if (this.#rebuild(key) && content) changed.push(key);
    }
    const changedImports = [...this.#dirtyImports.values().take(max)];
    for (const key of changedImports) this.#dirtyImports.delete(key);
    return { changed, changedImports, more: this.#dirty.size + this.#dirtyImports.size > 0 };
  }

  /** duplicates lists, by file, the objects that a file defines in vain. */
  duplicates(): ReadonlyMap<string, readonly string[]> {
    const texts = new Map<string, string[]>();
    for (const [file, repeats] of this.#repeats) texts.set(file, [...repeats]);
    for (const { loser, winner } of this.#definitions.losers()) {
      const text = `${loser.file}:${loser.line}: ${objectKey(loser)} is already defined in ${winner.file}:${winner.line}`;
      const list = texts.get(loser.file);
      if (list === undefined) texts.set(loser.file, [text]);
      else list.push(text);
    }
    for (const list of texts.values()) list.sort(); // the same whatever the order in which they arose
    return texts;
  }

  /** compact gives a definition in little memory: written field by field, it is one flat object (a spread leaves the
   *  added fields outside), and what many have in common they share. */
  #compact({ kind, namespace, name, line, body }: ManifestObject, file: string): Definition {
    const shared =
      kind === "EndpointSlice"
        ? this.#compactSlice(body)
        : kind === "ServiceImport"
          ? this.#compactImport(body)
          : this.#shared.share(body);
    return { kind: this.#shared.share(kind), namespace, name, line, body: shared, file } as Definition;
  }

  #compactImport({ namespace, name, type, ports, ips, clusters }: LocalImport): LocalImport {
    const [samePorts, sameClusters] = [this.#shared.share(ports), this.#shared.share(clusters)];
    return { namespace, name, type, ports: samePorts, ips, clusters: sameClusters };
  }

  #compactSlice({ service, imported, slice: { family, ports, endpoints, draining } }: SliceBody): SliceBody {
    const same = this.#shared.share(ports);
    const slice =
      draining === undefined ? { family, ports: same, endpoints } : { family, ports: same, endpoints, draining };
    return imported === undefined ? { service, slice } : { service, imported, slice };
  }

  #enter(file: string, definitions: readonly Definition[], rest: Omit<ParsedFile, "objects">, repeats: string[]): void {
    const names = definitions.map(({ kind, namespace, name }) => (kind === "Namespace" ? name : namespace));
    const namespaces = [...new Set([...names, ...rest.namespaces])].filter((name) => name !== ""); // a small array: a Set each would weigh more than the objects
    for (const name of namespaces) this.#count(name, 1);
    for (const name of this.#files.get(file)?.namespaces ?? []) this.#count(name, -1);
    this.#files.set(file, { definitions, namespaces, ignored: rest.ignored });
    if (repeats.length > 0) this.#repeats.set(file, repeats);
    else this.#repeats.delete(file);
    this.#unread.delete(file);
  }

  /** A namespace exists while any file has something in it. */
  #count(namespace: string, by: number): void {
    const count = (this.#filesOf.get(namespace) ?? 0) + by;
    this.#filesOf.set(namespace, count);
    if (count > 0 === this.#namespaces.has(namespace)) return;
    this.#others += 1;
    if (count > 0) this.#namespaces.add(namespace);
    else this.#namespaces.delete(namespace);
  }

  #winner(before: Definition | undefined, after: Definition | undefined): void {
    const one = after ?? before;
    if (one === undefined || one.kind === "Namespace") return;
    const content = before?.body !== after?.body;
    if (one.kind === "EndpointSlice") return this.#sliceWinner(before, after, content);
    if (one.kind === "Node") return content ? this.#nodeWinner(one.name, after) : undefined;
    const key = `${one.namespace}/${one.name}`;
    if (one.kind !== "ServiceImport") return this.#mark(key, content);
    if (!content) return;
    this.#others += 1;
    this.#dirtyImports.add(key);
    if (after?.kind === "ServiceImport") this.#imports.set(key, after.body);
    else this.#imports.delete(key);
  }

  #sliceWinner(before: Definition | undefined, after: Definition | undefined, content: boolean): void {
    const [old, next] = [before, after].map((one) => (one?.kind === "EndpointSlice" ? one : undefined));
    for (const key of moveSlice(this.#slicesOf, serviceOf, old, next)) this.#mark(key, content);
    const imports = moveSlice(this.#importedSlices, importOf, old, next);
    if (content) for (const key of imports) this.#dirtyImports.add(key);
  }

  #nodeWinner(name: string, after: Definition | undefined): void {
    this.#others += 1;
    this.#shownNodes = null;
    if (after?.kind === "Node") this.#nodes.set(name, after.body);
    else this.#nodes.delete(name);
  }

  #mark(key: string, content: boolean): void {
    this.#dirty.set(key, content || this.#dirty.get(key) === true);
  }

  /** rebuild joins one export anew and reports whether there is one or was one. */
  #rebuild(key: string): boolean {
    const found = this.#definitions.get(`ServiceExport ${key}` as ObjectKey);
    if (found?.kind !== "ServiceExport") return this.#exports.delete(key);
    const service = this.#definitions.get(`Service ${key}` as ObjectKey);
    this.#exports.set(key, {
      namespace: found.namespace as Namespace, // parsed as such at the door
      name: found.name as ServiceName,
      createdAt: found.body.createdAt,
      exportedLabels: found.body.exportedLabels,
      exportedAnnotations: found.body.exportedAnnotations,
      service: service?.kind === "Service" ? service.body : null,
      slices: (this.#slicesOf.get(key) ?? []).map(({ body }) => body.slice),
      origin: { file: found.file, line: found.line },
    });
    return true;
  }
}

/** moveSlice takes a slice from the list that it was in and puts its successor in the list where that belongs. The
 *  keys of the lists that changed come back; a slice without a key is in none. */
function moveSlice(
  lists: Map<string, SliceDefinition[]>,
  keyOf: (slice: SliceDefinition) => string | null,
  old: SliceDefinition | undefined,
  next: SliceDefinition | undefined,
): readonly string[] {
  const [from, to] = [old, next].map((slice) => (slice === undefined ? null : keyOf(slice)));
  if (from != null) {
    const rest = (lists.get(from) ?? []).filter((slice) => slice !== old);
    if (rest.length === 0) lists.delete(from);
    else lists.set(from, rest);
  }
  if (to != null && next !== undefined) lists.set(to, [...(lists.get(to) ?? []), next].sort(byName));
  return [from, to].filter((key) => key != null);
}

function serviceOf({ namespace, body }: SliceDefinition): string | null {
  return body.service === "" ? null : `${namespace}/${body.service}`;
}

function importOf({ namespace, body }: SliceDefinition): string | null {
  return body.imported === undefined ? null : `${namespace}/${body.imported.name}`;
}

function importedSlice({ body }: SliceDefinition): ImportedSlice {
  return { cluster: body.imported?.cluster ?? "", slice: body.slice };
}

function byName(a: Definition, b: Definition): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
