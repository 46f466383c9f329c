import { stripTypeScriptTypes } from "node:module";
import { parse } from "acorn";

/** FunctionSpan is one function and how many lines it takes, its doc comment not counted. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** functionsIn measures every function, method and arrow with a body. Node's own type stripper keeps each line where
 *  it is, so that a JavaScript parser can read TypeScript. */
export function functionsIn(text: string): readonly FunctionSpan[] {
  const tree = parse(stripTypeScriptTypes(text), { ecmaVersion: "latest", sourceType: "module", locations: true });
  const spans: FunctionSpan[] = [];
  const visit = (node: Loose, name: string): void => {
    const named = nameOf(node) ?? name;
    const isFunction = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
    if (isFunction && node.loc !== undefined && node.body?.type === "BlockStatement") {
      spans.push({ name: named, line: node.loc.start.line, lines: node.loc.end.line - node.loc.start.line + 1 });
    }
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, named);
    }
  };
  visit(tree as unknown as Loose, "(top)");
  return spans;
}

interface Loose {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
  readonly body?: { readonly type: string };
  readonly id?: { readonly name?: string };
  readonly key?: { readonly name?: string };
}

function isNode(value: unknown): value is Loose {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function nameOf(node: Loose): string | undefined {
  return node.id?.name ?? node.key?.name;
}

export interface LineCount {
  readonly code: number;
  readonly comment: number;
}

/** linesOf counts lines with code and lines with nothing but comment; blank ones are neither. */
export function linesOf(text: string): LineCount {
  let comment = 0;
  let code = 0;
  let inside = false;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "") continue;
    if (inside || line.startsWith("//") || line.startsWith("/*")) comment += 1;
    else code += 1;
    if (line.startsWith("/*")) inside = true;
    if (inside && line.includes("*/")) inside = false;
  }
  return { code, comment };
}

/** quantile of a list of numbers, 0 to 1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}
