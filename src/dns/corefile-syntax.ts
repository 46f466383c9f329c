import { err, ok, type Result } from "#values";
import { type Token, tokensOf } from "./corefile-tokens.ts";

/** Directive is a line of a block: its name, what follows on the line, and the block behind it, if any. */
export interface Directive {
  readonly name: Token;
  readonly args: readonly Token[];
  /** Null without braces: `health` is not `health { }`. */
  readonly block: readonly Directive[] | null;
}

/** ServerBlock is one block of a Corefile: for whom, and what is done. */
export interface ServerBlock {
  readonly keys: readonly Token[];
  readonly directives: readonly Directive[];
}

/** What a Corefile may refer to: the environment, and the files that `import` names (a pattern, relative to the file
 *  that imports). The caller reads them, so that parsing touches nothing. */
export interface CorefileWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly imported: (pattern: string, from: string) => Result<readonly CorefileText[]>;
}

export interface CorefileText {
  readonly file: string;
  readonly text: string;
}

/** Snippets that import each other, or files that do: nobody means more than this. */
const MAX_DEPTH = 20;

/** readSyntax takes a Corefile apart (corefile(5)): server blocks, snippets `(name) { … }`, `import` of either. The
 *  first fault ends it, since what follows a misplaced brace is guesswork. */
export function readSyntax({ file, text }: CorefileText, world: CorefileWorld): Result<readonly ServerBlock[]> {
  const tokens = tokensOf(file, text, world.env);
  if (!tokens.ok) return tokens;
  try {
    return ok(new Parser(world).file(tokens.value, 0));
  } catch (fault) {
    if (fault instanceof SyntaxFault) return err(fault.message);
    throw fault;
  }
}

/** SyntaxFault leaves the recursion below; it never leaves this file. */
class SyntaxFault extends Error {
  constructor({ file, line }: Pick<Token, "file" | "line">, reason: string) {
    super(`${file}:${line}: ${reason}`);
  }
}

/** Cursor walks over tokens. */
class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get here(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** Whether the next token is this brace. */
  is(brace: "{" | "}"): boolean {
    return this.here?.text === brace && !this.here.quoted;
  }

  take(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  /** restOfLine takes what follows a token on its line, up to a brace that opens a block. */
  restOfLine({ file, line }: Token): readonly Token[] {
    const rest: Token[] = [];
    while (this.here?.line === line && this.here.file === file && !this.is("{") && !this.is("}")) {
      rest.push(this.take() as Token);
    }
    return rest;
  }
}

class Parser {
  readonly #world: CorefileWorld;
  readonly #snippets = new Map<string, readonly Directive[]>();

  constructor(world: CorefileWorld) {
    this.#world = world;
  }

  /** file reads server blocks until there is nothing more. */
  file(tokens: readonly Token[], depth: number): readonly ServerBlock[] {
    const cursor = new Cursor(tokens);
    const blocks: ServerBlock[] = [];
    while (cursor.here !== undefined) {
      if (cursor.here.text === "import") blocks.push(...this.#importFiles(cursor, depth));
      else blocks.push(...this.#block(cursor, depth));
    }
    return blocks;
  }

  /** Without braces the rest of the file is the block: a Corefile for one server may be written so. */
  #block(cursor: Cursor, depth: number): readonly ServerBlock[] {
    const first = cursor.here as Token;
    if (cursor.is("{") || cursor.is("}")) throw new SyntaxFault(first, `"${first.text}" without a zone before it`);
    const keys = this.#keys(cursor);
    const braced = cursor.is("{");
    if (braced) cursor.take();
    const directives = this.#directives(cursor, braced ? first : null, depth);
    const snippet = /^\((.+)\)$/.exec(first.text)?.[1];
    if (snippet === undefined) return [{ keys, directives }];
    this.#snippets.set(snippet, directives);
    return [];
  }

  /** Keys stand on one line, or on several where each but the last ends in a comma. */
  #keys(cursor: Cursor): readonly Token[] {
    const keys: Token[] = [];
    for (let last = cursor.take(); last !== undefined; last = cursor.take()) {
      const more = last.text.endsWith(",");
      const text = more ? last.text.slice(0, -1) : last.text;
      if (text !== "") keys.push({ ...last, text });
      if (cursor.here === undefined || cursor.is("{") || (cursor.here.line !== last.line && !more)) break;
    }
    return keys;
  }

  /** directives reads lines until the brace that closes the block opened at `open`, or to the end of the file. */
  #directives(cursor: Cursor, open: Token | null, depth: number): readonly Directive[] {
    const found: Directive[] = [];
    for (;;) {
      const name = cursor.take();
      if (name === undefined) {
        if (open === null) return found;
        throw new SyntaxFault(open, "this block is not closed: a } is missing");
      }
      if (name.text === "}" && !name.quoted) {
        if (open !== null) return found;
        throw new SyntaxFault(name, '"}" without a block that it closes');
      }
      if (name.text === "{" && !name.quoted) throw new SyntaxFault(name, '"{" must stand at the end of a line');
      const args = cursor.restOfLine(name);
      if (name.text === "import") found.push(...this.#importInto(name, args, depth));
      else found.push({ name, args, block: this.#blockBehind(cursor, name, args, depth) });
    }
  }

  #blockBehind(cursor: Cursor, name: Token, args: readonly Token[], depth: number): readonly Directive[] | null {
    const last = args.at(-1) ?? name;
    if (!cursor.is("{") || cursor.here?.line !== last.line) return null;
    cursor.take();
    return this.#directives(cursor, name, depth);
  }

  /** A snippet's lines, or those of files, stand where the import stood. */
  #importInto(at: Token, args: readonly Token[], depth: number): readonly Directive[] {
    const [what] = args;
    if (what === undefined || args.length > 1) throw new SyntaxFault(at, "import needs one file or snippet");
    const snippet = this.#snippets.get(what.text);
    if (snippet !== undefined) return snippet;
    return this.#files(what, depth).flatMap((tokens) => this.#directives(new Cursor(tokens), null, depth + 1));
  }

  #importFiles(cursor: Cursor, depth: number): readonly ServerBlock[] {
    const at = cursor.take() as Token;
    const args = cursor.restOfLine(at);
    const [what] = args;
    if (what === undefined || args.length > 1) throw new SyntaxFault(at, "import needs one file or pattern");
    return this.#files(what, depth).flatMap((tokens) => this.file(tokens, depth + 1));
  }

  #files(what: Token, depth: number): readonly (readonly Token[])[] {
    if (depth >= MAX_DEPTH) throw new SyntaxFault(what, `imports are nested more than ${MAX_DEPTH} deep`);
    const texts = this.#world.imported(what.text, what.file);
    if (!texts.ok) throw new SyntaxFault(what, `import ${what.text}: ${texts.error}`);
    return texts.value.map(({ file, text }) => {
      const tokens = tokensOf(file, text, this.#world.env);
      if (!tokens.ok) throw new SyntaxFault(what, tokens.error);
      return tokens.value;
    });
  }
}
