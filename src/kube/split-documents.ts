/** DocumentText is one document of a file and the line, from 1, on which it begins. */
export interface DocumentText {
  readonly text: string;
  readonly line: number;
}

/** A line `---` or `...`, alone or before a space: in column one it is a marker even inside a quoted or block scalar
 *  (YAML 1.2, c-forbidden), so a file can be cut there before anything is parsed. */
const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;

/** splitDocuments cuts a YAML stream into its documents, lazily. What stands behind `---` on its line stays with its
 *  document, and so do directives (`%YAML 1.2`) before it. Documents of nothing but blanks and comments are left out. */
export function* splitDocuments(text: string): Iterable<DocumentText> {
  let start = 0;
  let line = 1;
  let counted = 0;
  for (const end of [...cuts(text), text.length]) {
    const part = text.slice(start, end);
    const isDirectives = end < text.length && part.includes("%") && /^(?:\s|#.*|%.*)*$/.test(part);
    if (isDirectives) continue; // the next cut takes them along
    line += newlines(text, counted, start);
    counted = start;
    yield* documentIn(part, line);
    start = end;
  }
}

function* cuts(text: string): Iterable<number> {
  for (const { index } of text.matchAll(MARKER)) if (index > 0) yield index;
}

/** documentIn drops a part's own marker line and leading blanks, where that changes nothing for a parser. */
function* documentIn(part: string, line: number): Iterable<DocumentText> {
  const lead = /^(?:(?:---|\.\.\.)?[ \t]*(?:#.*)?(?:\r?\n|$))*/.exec(part)?.[0] ?? "";
  const text = part.slice(lead.length);
  if (/^\s*$/.test(text)) return;
  yield { text, line: line + newlines(lead, 0, lead.length) };
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
