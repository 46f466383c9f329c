import { ImportMould } from "./import-mould.ts";
import { emptyFile, type ParsedFile } from "./manifest-object.ts";
import { PlainLines } from "./plain-lines.ts";
import { readPlainDocument } from "./plain-yaml.ts";
import { type ImportObject, quickImport } from "./quick-import.ts";

/** A file has few forms of documents; moulds of one without a form would only be tried in vain. */
const MAX_MOULDS = 8;

/** quickFile reads a file of ServiceImports in plain block YAML, a document a step. In the end it gives what the full
 *  readers give, or undefined as soon as it is not sure: then they read the file. */
export function* quickFile(text: string): Generator<void, ParsedFile | undefined> {
  const into = emptyFile();
  const moulds: ImportMould[] = [];
  for (const lines = new PlainLines(text); !lines.ended; lines.next()) {
    if (lines.done) continue; // a document without content
    const object = readMoulded(lines, moulds) ?? readWhole(lines, moulds);
    if (object === undefined) return undefined;
    into.objects.push(object);
    if (lines.ended) break;
    yield;
  }
  return into;
}

/** readMoulded reads the current document if it is of a form that was met before. */
function readMoulded(lines: PlainLines, moulds: readonly ImportMould[]): ImportObject | undefined {
  for (const mould of moulds) {
    const read = mould.read(lines.text, lines.start, lines.line);
    if (read === undefined) continue;
    lines.skip(mould.lines, read.end);
    return read.object;
  }
  return undefined;
}

function readWhole(lines: PlainLines, moulds: ImportMould[]): ImportObject | undefined {
  const { line, start } = lines;
  const object = quickImport(readPlainDocument(lines), line);
  const mould = object && moulds.length < MAX_MOULDS ? ImportMould.of(lines.text, start, object) : undefined;
  if (mould !== undefined) moulds.push(mould);
  return object;
}
