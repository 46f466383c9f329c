import { type Document, isNode, isScalar, LineCounter, parseAllDocuments, parseDocument } from "yaml";
import { err, ok, type Result } from "#values";

/** OpenYaml is a document and the lines of its text. */
export interface OpenYaml {
  readonly document: Document;
  readonly lines: LineCounter;
}

/** openYaml parses a text; the error is all that its form has wrong, each with file and line. */
export function openYaml(file: string, text: string): Result<OpenYaml, readonly string[]> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = faultsOf(file, document);
  return broken.length > 0 ? err(broken) : ok({ document, lines });
}

/** OpenYamls is a text of several documents, whose places are all of that text. */
export interface OpenYamls {
  readonly documents: readonly Document[];
  readonly lines: LineCounter;
}

/** openYamls is openYaml for a text in which documents follow each other. */
export function openYamls(file: string, text: string): Result<OpenYamls, readonly string[]> {
  const lines = new LineCounter();
  const documents: readonly Document[] = [...parseAllDocuments(text, { lineCounter: lines })];
  const broken = documents.flatMap((document) => faultsOf(file, document));
  return broken.length > 0 ? err(broken) : ok({ documents, lines });
}

/** textOf is a scalar as it is written: a plain `1e3` is a name, too, and no number. Undefined for all else. */
export function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

/** lineOf is the line of a node of YAML. */
export function lineOf(node: unknown, lines: LineCounter): number {
  return lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
}

function faultsOf(file: string, { errors }: Document): readonly string[] {
  return errors.map(({ linePos, message }) => {
    // YAML's own message ends with "at line 3, column 5:" and an excerpt: the line is in the place already.
    const reason = (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, "");
    return `${file}:${linePos?.[0].line ?? 1}: ${reason}`;
  });
}
