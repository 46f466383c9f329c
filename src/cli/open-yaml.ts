import { type Document, LineCounter, parseDocument } from "yaml";
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
  const broken = document.errors.map(({ linePos, message }) => {
    // YAML's own message ends with "at line 3, column 5:" and an excerpt: the line is in the place already.
    const reason = (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, "");
    return `${file}:${linePos?.[0].line ?? 1}: ${reason}`;
  });
  return broken.length > 0 ? err(broken) : ok({ document, lines });
}
