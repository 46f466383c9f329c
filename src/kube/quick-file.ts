import { emptyFile, type ParsedFile } from "./manifest-object.ts";
import { PlainLines } from "./plain-lines.ts";
import { readPlainDocument } from "./plain-yaml.ts";
import { quickImport } from "./quick-import.ts";

/** quickFile reads a file of ServiceImports in plain block YAML, a document a step. In the end it gives what the full
 *  readers give, or undefined as soon as it is not sure: then they read the file. */
export function* quickFile(text: string): Generator<void, ParsedFile | undefined> {
  const into = emptyFile();
  for (const lines = new PlainLines(text); !lines.ended; lines.next()) {
    if (lines.done) continue; // a document without content
    const { line } = lines;
    const object = quickImport(readPlainDocument(lines), line);
    if (object === undefined) return undefined;
    into.objects.push(object);
    if (lines.ended) break;
    yield;
  }
  return into;
}
