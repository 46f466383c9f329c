import { PlainLines } from "./plain-lines.ts";
import { isWord, readPlainScalar } from "./plain-scalar.ts";

const COLON = 0x3a;
const SPACE = 0x20;
const ZERO = 0x30;
const DOT = 0x2e;

/** What a character may be part of, by its code. */
const KIND = { letter: 1, digit: 2, mark: 4 } as const;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[A-Za-z]/.test(character)) return KIND.letter;
  if (/[0-9]/.test(character)) return KIND.digit;
  return /[-_./]/.test(character) ? KIND.mark : 0;
});

/** readPlainYaml reads a document of plain block YAML: mappings with simple keys, sequences, and scalars that stand on
 *  one line. That is nearly all of what manifests are written in, and takes a fiftieth of a full parser's time. It gives
 *  what the `yaml` package gives, or undefined wherever it is not sure, faults of any kind included: then that package
 *  decides. */
export function readPlainYaml(text: string): unknown {
  const lines = new PlainLines(text);
  const value = readPlainDocument(lines);
  return lines.ended ? value : undefined;
}

/** readPlainDocument reads the document whose first line is the current one, to its end. */
export function readPlainDocument(lines: PlainLines): unknown {
  const value = readMapping(lines, lines.indent);
  return lines.done && !lines.odd ? value : undefined;
}

/** readMapping reads the lines of one column. A key given twice is for the full parser, which tells the fault. */
function readMapping(lines: PlainLines, indent: number): unknown {
  const value: Record<string, unknown> = {};
  while (lines.indent === indent && !lines.isItem()) {
    const colon = keyEnd(lines, lines.at);
    if (colon === -1) return undefined;
    const key = lines.text.slice(lines.at, colon);
    if (isWord(key) || Object.hasOwn(value, key)) return undefined;
    const at = skipSpaces(lines, colon + 1);
    const field = at === lines.end ? readBelow(lines, indent) : readInline(lines, at, indent);
    if (field === undefined) return undefined;
    value[key] = field;
  }
  return lines.indent > indent ? undefined : value;
}

function readSequence(lines: PlainLines, indent: number): unknown {
  const value: unknown[] = [];
  while (lines.indent === indent && lines.isItem()) {
    const item = readItem(lines, indent);
    if (item === undefined) return undefined;
    value.push(item);
  }
  return lines.indent > indent ? undefined : value;
}

/** readItem reads what stands behind a dash: a collection that begins on its line, a scalar, or what is below. */
function readItem(lines: PlainLines, indent: number): unknown {
  const at = skipSpaces(lines, lines.at + 1);
  if (at < lines.end) {
    const item = lines.isItem(at);
    if (!item && keyEnd(lines, at) === -1) return readInline(lines, at, indent);
    lines.descend(at - lines.at);
    return item ? readSequence(lines, lines.indent) : readMapping(lines, lines.indent);
  }
  lines.next();
  return lines.indent > indent ? readCollection(lines, indent) : null;
}

/** readInline reads a scalar from a place in the current line; a deeper line after it would be its continuation. */
function readInline(lines: PlainLines, at: number, indent: number): unknown {
  const value = readScalar(lines.text, at, lines.end);
  lines.next();
  return lines.indent > indent ? undefined : value;
}

/** readBelow reads what a key on a line of its own stands for. */
function readBelow(lines: PlainLines, indent: number): unknown {
  lines.next();
  return readCollection(lines, indent);
}

/** A deeper block, or a sequence in the own column. */
function readCollection(lines: PlainLines, indent: number): unknown {
  if (lines.indent >= indent && lines.isItem()) return readSequence(lines, lines.indent);
  return lines.indent > indent ? readMapping(lines, lines.indent) : null;
}

/** keyEnd finds the colon of a key that is certainly a string, `[A-Za-z][-A-Za-z0-9_./]*` before a space or the line's
 *  end; -1: there is none. */
function keyEnd({ text, end }: PlainLines, from: number): number {
  if (kindAt(text, from) !== KIND.letter) return -1;
  let at = from + 1;
  while (at < end && kindAt(text, at) !== 0) at += 1;
  if (at >= end || text.charCodeAt(at) !== COLON) return -1;
  return at + 1 === end || text.charCodeAt(at + 1) === SPACE ? at : -1;
}

function skipSpaces({ text, end }: PlainLines, from: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

/** readScalar reads the commonest scalars by one look at each character, and leaves the rest to readPlainScalar. */
function readScalar(text: string, from: number, end: number): unknown {
  const first = kindAt(text, from);
  if (first !== KIND.letter && first !== KIND.digit) return readPlainScalar(text.slice(from, end));
  let all = first;
  let dots = 0;
  for (let at = from + 1; at < end; at += 1) {
    const kind = kindAt(text, at);
    if (kind === 0) return readPlainScalar(text.slice(from, end));
    const dot = text.charCodeAt(at) === DOT;
    dots += dot ? 1 : 0;
    all |= dot ? 0 : kind;
  }
  if (first === KIND.digit && all === KIND.digit && dots !== 1) {
    if (dots > 1) return text.slice(from, end); // an address
    return text.charCodeAt(from) === ZERO && end - from > 1 ? undefined : wholeNumber(text, from, end);
  }
  const word = text.slice(from, end);
  return first === KIND.letter && !isWord(word) ? word : readPlainScalar(word);
}

/** More digits than are certainly exact are for the full parser. */
function wholeNumber(text: string, from: number, end: number): number | undefined {
  if (end - from > 15) return undefined;
  let value = 0;
  for (let at = from; at < end; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO;
  return value;
}

function kindAt(text: string, at: number): number {
  return KINDS[text.charCodeAt(at)] ?? 0;
}
