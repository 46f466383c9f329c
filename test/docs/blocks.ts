import type { Page } from "./pages.ts";

/** Block is one fenced block of a document. What stands behind the language says how a test treats it:
 *
 *     sh run=two-hosts on=host1   run on a host of the scene `two-hosts` (`on=both`: on each)
 *     sh run=loopback             run beside a broker and a gateway on this machine, which touch no interface
 *     sh check-only               only its syntax is checked; the test says why
 *
 *  `daemon` is for what does not end by itself, and `ready=WORD` for the line that it prints when it serves; `retry`
 *  for what comes true within seconds. `text output` is what the block before it prints; `…` stands for anything. */
export interface Block {
  readonly file: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly marks: ReadonlyMap<string, string>;
  readonly text: string;
  /** Lines that it must print, in this order; empty where the document shows none. */
  readonly output: readonly string[];
}

/** blocksOf finds the fenced blocks of a document; shown output goes to the block that it belongs to. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const found: Block[] = [];
  for (const match of text.matchAll(/^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm)) {
    const [, language = "", rest = "", body = ""] = match;
    const marks = new Map(
      rest
        .split(" ")
        .filter((word) => word !== "")
        .map(markOf),
    );
    const before = found.at(-1);
    if (language === "text" && marks.has("output") && before !== undefined) {
      found.splice(-1, 1, { ...before, output: body.trimEnd().split("\n") });
    } else {
      const line = text.slice(0, match.index).split("\n").length;
      found.push({ file: path, line, language, marks, text: body, output: [] });
    }
  }
  return found;
}

function markOf(word: string): readonly [string, string] {
  const [name = "", value = ""] = word.split("=");
  return [name, value];
}

/** nameOf is how a test calls a block: place and first command. */
export function nameOf({ file, line, text }: Block): string {
  return `${file}:${line} ${text.split("\n")[0]?.slice(0, 60)}`;
}

/** missingIn gives the first line of the shown output that is not in the real one at its place; undefined when all are.
 *  Runs of blanks count as one, since columns are as wide as their widest cell. */
export function missingIn(shown: readonly string[], real: string): string | undefined {
  const lines = real.split("\n").map(plain);
  let at = 0;
  for (const line of shown) {
    const wanted = new RegExp(`^${plain(line).split("…").map(escaped).join(".*")}$`);
    const found = lines.findIndex((candidate, i) => i >= at && wanted.test(candidate));
    if (found === -1) return line;
    at = found + 1;
  }
  return undefined;
}

function plain(line: string): string {
  return line.trim().replace(/\s+/g, " ");
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
