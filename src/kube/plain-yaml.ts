import { isWord, readPlainScalar } from "./plain-scalar.ts";

/** readPlainYaml reads a document of plain block YAML: mappings with simple keys, sequences, and scalars that stand on
 *  one line. That is nearly all of what manifests are written in, and takes a tenth of a full parser's time. It gives
 *  what the `yaml` package gives, or undefined wherever it is not sure, faults of any kind included: then that package
 *  decides. */
export function readPlainYaml(text: string): unknown {
  if (/[\t\r]/.test(text)) return undefined;
  const lines = new Lines(text);
  const value = readMapping(lines, lines.indent);
  return lines.done ? value : undefined;
}

/** Lines walks over the lines of a document that have content. */
class Lines {
  readonly #text: string;
  #end = -1;
  /** Column of the current line's content; -1 after the last line. */
  indent = -1;
  /** The current line's content, without the spaces around it. */
  content = "";

  constructor(text: string) {
    this.#text = text;
    this.next();
  }

  get done(): boolean {
    return this.indent === -1;
  }

  next(): void {
    const text = this.#text;
    while (this.#end < text.length) {
      const start = this.#end + 1;
      const newline = text.indexOf("\n", start);
      this.#end = newline === -1 ? text.length : newline;
      let first = start;
      while (text.charCodeAt(first) === 0x20) first += 1;
      if (first >= this.#end || text.charCodeAt(first) === 0x23) continue; // blank, or a comment
      this.indent = first - start;
      this.content = withoutComment(text.slice(first, this.#end));
      return;
    }
    this.indent = -1;
    this.content = "";
  }

  /** descend makes the rest of the current line a line of its own: what follows `- `. */
  descend(offset: number): void {
    this.indent += offset;
    this.content = this.content.slice(offset);
  }
}

/** A comment begins at `#` after a space. Inside quotes it is none: such a line is left as it is, and no scalar. */
function withoutComment(line: string): string {
  const hash = line.indexOf(" #");
  const quoted = hash !== -1 && /["']/.test(line);
  return (hash === -1 || quoted ? line : line.slice(0, hash)).replace(/ +$/, "");
}

/** A key that is certainly a string, and its colon. */
const KEY = /^([A-Za-z][-A-Za-z0-9_./]*):(?: +|$)/;

/** readMapping reads the lines of one column. A key given twice is for the full parser, which tells the fault. */
function readMapping(lines: Lines, indent: number): unknown {
  const value: Record<string, unknown> = {};
  while (lines.indent === indent && !isItem(lines.content)) {
    const [head = "", key = ""] = KEY.exec(lines.content) ?? [];
    if (key === "" || isWord(key) || Object.hasOwn(value, key)) return undefined;
    const rest = lines.content.slice(head.length);
    lines.next();
    const field = rest === "" ? readBelow(lines, indent) : readInline(lines, rest, indent);
    if (field === undefined) return undefined;
    value[key] = field;
  }
  return lines.indent > indent ? undefined : value;
}

function readSequence(lines: Lines, indent: number): unknown {
  const value: unknown[] = [];
  while (lines.indent === indent && isItem(lines.content)) {
    const item = readItem(lines, indent);
    if (item === undefined) return undefined;
    value.push(item);
  }
  return lines.indent > indent ? undefined : value;
}

/** readItem reads what stands behind a dash: a collection that begins on its line, a scalar, or what is below. */
function readItem(lines: Lines, indent: number): unknown {
  const offset = /^- */.exec(lines.content)?.[0].length ?? 1;
  const rest = lines.content.slice(offset);
  if (rest !== "" && (isItem(rest) || KEY.test(rest))) {
    lines.descend(offset);
    return isItem(rest) ? readSequence(lines, lines.indent) : readMapping(lines, lines.indent);
  }
  lines.next();
  if (rest !== "") return readInline(lines, rest, indent);
  return lines.indent > indent ? readBelow(lines, indent) : null;
}

/** readInline reads a scalar; a deeper line after it would be its continuation. */
function readInline(lines: Lines, text: string, indent: number): unknown {
  return lines.indent > indent ? undefined : readPlainScalar(text);
}

/** readBelow reads what a key on a line of its own stands for: a deeper block, or a sequence in its own column. */
function readBelow(lines: Lines, indent: number): unknown {
  if (isItem(lines.content) && lines.indent >= indent) return readSequence(lines, lines.indent);
  return lines.indent > indent ? readMapping(lines, lines.indent) : null;
}

function isItem(content: string): boolean {
  return content === "-" || content.startsWith("- ");
}
