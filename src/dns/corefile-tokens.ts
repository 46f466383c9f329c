import { err, ok, type Result } from "#values";

/** Token is one word of a Corefile and where it stands. */
export interface Token {
  readonly text: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** It stood in quotes: then a brace is a brace no more. */
  readonly quoted: boolean;
}

/** tokensOf cuts a Corefile into words as Caddy's lexer does: blanks part them, `"…"` keeps them together with `\"` for a
 *  quote, and `#` outside quotes begins a comment. `{$NAME}` and `{%NAME%}` stand for environment variables, inside a
 *  word too; what a variable holds is not cut again. */
export function tokensOf(
  file: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Result<readonly Token[]> {
  const tokens: Token[] = [];
  let line = 1;
  // Each piece is a comment, a quoted word, a bare word, a line end, or blanks.
  for (const [piece] of text.matchAll(/#[^\n]*|"(?:\\[\s\S]|[^"\\])*"?|[^\s"#][^\s#]*|\n|[^\S\n]+/g)) {
    if (piece === "\n") line++;
    else if (piece.startsWith('"')) {
      if (piece.length < 2 || !/(?:^|[^\\])(?:\\\\)*"$/.test(piece.slice(1))) {
        return err(`${file}:${line}: a quote is not closed: add " where the text ends`);
      }
      const inside = piece.slice(1, -1).replaceAll('\\"', '"');
      tokens.push({ text: expand(inside, env), file, line, quoted: true });
      line += inside.split("\n").length - 1;
    } else if (/^[^\s#]/.test(piece)) tokens.push({ text: expand(piece, env), file, line, quoted: false });
  }
  return ok(tokens);
}

/** A variable that is not set is empty, as in a shell. */
function expand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(
    /\{\$([^{}]+)\}|\{%([^{}%]+)%\}/g,
    (_, dollar: string | undefined, percent: string | undefined) => {
      return env[dollar ?? percent ?? ""] ?? "";
    },
  );
}
