import { parse, YAMLError } from "yaml";
import { locate } from "./locate.ts";
import { emptyFile, type ParsedFile } from "./manifest-object.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { readObject } from "./read-object.ts";
import { type DocumentText, splitDocuments } from "./split-documents.ts";

/** Faults told of one file: enough to work with, however broken it is. */
const MAX_FAULTS = 20;

/** documentsOf cuts a file into what is parsed at a time. A JSON file is one piece, which may hold several values. */
export function documentsOf(file: string, content: string): Iterable<DocumentText> {
  const text = content.startsWith("\ufeff") ? content.slice(1) : content;
  if (!file.endsWith(".json")) return splitDocuments(text);
  return text.trim() === "" ? [] : [{ text, line: 1 }];
}

/** readDocument adds what one document says, or what is wrong with it, to `into`. It never throws: whatever stands in a
 *  file is the world's, not ours. */
export function readDocument(file: string, { text, line }: DocumentText, into: ParsedFile): void {
  const fault = (at: number, reason: string): void => {
    if (into.faults.length < MAX_FAULTS) into.faults.push(`${file}:${at}: ${reason}`);
  };
  const values = file.endsWith(".json") ? jsonValues(text) : yamlValue(text);
  for (const { value, from, error } of values) {
    const start = line + linesBefore(text, from);
    if (error !== undefined) fault(start, error);
    else if (value !== null) {
      for (const { path, reason } of readObject(value, start, into)) {
        fault(start - 1 + locate(text.slice(from), path), `${dotted(path)}${reason}`);
      }
    }
  }
}

/** readContent reads a whole file's content in one go: for threads that may be busy. */
export function readContent(file: string, content: string): ParsedFile {
  const into = emptyFile();
  for (const document of documentsOf(file, content)) readDocument(file, document, into);
  return into;
}

/** Parsed is one value of a document and the offset at which it begins; with an error, where that is. */
interface Parsed {
  readonly from: number;
  readonly value: unknown;
  readonly error?: string;
}

/** yamlValue tries the quick ways first: plain block YAML, then JSON, and the whole language only for the rest. */
function yamlValue(text: string): readonly Parsed[] {
  const value = text.startsWith("{") ? quickJson(text) : readPlainYaml(text);
  if (value !== undefined) return [{ from: 0, value }];
  try {
    return [{ from: 0, value: parse(text, { prettyErrors: false, merge: true, logLevel: "error" }) as unknown }];
  } catch (error) {
    const from = error instanceof YAMLError ? error.pos[0] : 0;
    return [{ from, value: null, error: `not YAML: ${firstLine(error)}` }];
  }
}

function quickJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** jsonValues reads one JSON value after the other: kubectl takes such streams, too. */
function* jsonValues(text: string): Iterable<Parsed> {
  for (let from = skipBlanks(text, 0); from < text.length; ) {
    const rest = text.slice(from);
    let length = rest.length;
    try {
      yield { from, value: JSON.parse(rest) as unknown };
    } catch (error) {
      const at = /^Unexpected non-whitespace character after JSON at position (\d+)/.exec(firstLine(error));
      const position = Number(/ at position (\d+)/.exec(firstLine(error))?.[1] ?? rest.length);
      if (at === null) {
        yield {
          from: from + position,
          value: null,
          error: `not JSON: ${firstLine(error).replace(/ at position.*/, "")}`,
        };
        return;
      }
      length = position;
      yield { from, value: JSON.parse(rest.slice(0, length)) as unknown };
    }
    from = skipBlanks(text, from + length);
  }
}

function skipBlanks(text: string, from: number): number {
  const rest = /\S/.exec(text.slice(from));
  return rest === null ? text.length : from + rest.index;
}

function linesBefore(text: string, offset: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/** dotted writes a path as Kubernetes does, `spec.ports[0].port: `. */
function dotted(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text === "" ? "" : `${text.replace(/^\./, "")}: `;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
