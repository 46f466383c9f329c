const SPACE = 0x20;
const NEWLINE = 0x0a;
const HASH = 0x23;
const DASH = 0x2d;

/** PlainLines walks over those lines of a YAML stream that have content, document by document. It looks at each
 *  character once and makes no string: a folder of ten thousand objects has a hundred and seventy thousand lines.
 *
 *  A document ends where a line is `---` and nothing else: then `done` is true, and next goes on with the document behind
 *  it. */
export class PlainLines {
  readonly text: string;
  /** Column of the current line's content; -1 at the end of a document. */
  indent = -1;
  /** Where the current line's content begins and ends, without the spaces around it and without a comment. */
  at = 0;
  end = 0;
  /** The current line's number, from 1. */
  line = 0;
  /** Whether a tab or a carriage return was met: what they mean is for a full parser to say. */
  odd = false;
  #next = 0;

  /** It stands on the first line. */
  constructor(text: string) {
    this.text = text;
    this.next();
  }

  /** Whether the document has no more lines. */
  get done(): boolean {
    return this.indent === -1;
  }

  /** Whether the text has no more lines. */
  get ended(): boolean {
    return this.done && this.#next >= this.text.length;
  }

  /** Where the current line begins. */
  get start(): number {
    return this.at - this.indent;
  }

  /** skip goes on behind so many lines that end at a place, as if they were a document that was read. */
  skip(lines: number, end: number): void {
    this.indent = -1;
    this.line += lines - 1; // the current one is counted
    this.#next = end;
  }

  next(): void {
    const { text } = this;
    this.indent = -1;
    while (this.#next < text.length) {
      const start = this.#next;
      const stop = this.#scan(start);
      this.#next = stop + 1;
      this.line += 1;
      if (this.at >= this.end || text.charCodeAt(this.at) === HASH) continue; // blank, or a comment
      if (stop - start === 3 && text.startsWith("---", start)) return;
      this.indent = this.at - start;
      return;
    }
  }

  /** descend makes the rest of the current line a line of its own: what follows `- `. */
  descend(offset: number): void {
    this.indent += offset;
    this.at += offset;
  }

  /** isItem reports whether a sequence's item begins at a place in the current line. */
  isItem(at = this.at): boolean {
    if (this.text.charCodeAt(at) !== DASH || at >= this.end) return false;
    return at + 1 === this.end || this.text.charCodeAt(at + 1) === SPACE;
  }

  /** scan finds the content of the line that begins at `start`, and gives the line's end. A comment begins at `#` after
   *  a space. Inside quotes it is none: a line with quotes is left whole, and its value is no plain scalar. */
  #scan(start: number): number {
    const { text } = this;
    const { length } = text;
    let at = start;
    while (at < length && text.charCodeAt(at) === SPACE) at += 1;
    this.at = at;
    let end = at;
    let commented = -1;
    let quoted = false;
    for (; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === SPACE) continue;
      if (code === NEWLINE) break;
      if (code === HASH && commented === -1 && at > this.at && text.charCodeAt(at - 1) === SPACE) commented = end;
      else if (code === 0x22 || code === 0x27) quoted = true;
      else if (code === 0x09 || code === 0x0d) this.odd = true;
      end = at + 1;
    }
    this.end = commented !== -1 && !quoted ? commented : end;
    return at;
  }
}
