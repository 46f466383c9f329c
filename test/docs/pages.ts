import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Page is one document that users read, by its path from the root. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** pages is the README and everything in docs/, in the order of their names. */
export function pages(): readonly Page[] {
  const inDocs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...inDocs.sort().map((name) => `docs/${name}`)].map(page);
}

/** page reads one document. */
export function page(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), "utf8") };
}

/** Table is a table of a document: one object a row, by the heads of its columns. */
export type Table = readonly Readonly<Record<string, string>>[];

/** tables finds the tables of a text, each under the last heading before it. Cells keep their text without the marks of
 *  code; `\|` is a bar. */
export function tables(text: string): ReadonlyMap<string, readonly Table[]> {
  const found = new Map<string, Table[]>();
  let heading = "";
  let lines: string[] = [];
  const flush = (): void => {
    const table = tableOf(lines);
    if (table !== undefined) found.set(heading, [...(found.get(heading) ?? []), table]);
    lines = [];
  };
  for (const line of [...text.split("\n"), ""]) {
    if (line.startsWith("|")) {
      lines.push(line);
      continue;
    }
    flush();
    heading = /^#+ (.*)$/.exec(line)?.[1]?.replaceAll("`", "") ?? heading;
  }
  return found;
}

function tableOf([head, rule, ...rows]: readonly string[]): Table | undefined {
  if (head === undefined || rule === undefined) return undefined;
  const names = cellsOf(head);
  return rows.map((row) => Object.fromEntries(cellsOf(row).map((cell, at) => [names[at] ?? String(at), cell])));
}

function cellsOf(row: string): readonly string[] {
  const cells = row.replaceAll("\\|", "\u0000").split("|").slice(1, -1);
  return cells.map((cell) => cell.replaceAll("\u0000", "|").replaceAll("`", "").trim());
}
