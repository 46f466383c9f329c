import { isMap, isNode, isPair, isSeq, LineCounter, type Node, parseDocument } from "yaml";

/** locate gives the line, from 1, of a field in the text of a document (JSON is YAML, too). Where the field is missing
 *  it is the line of the nearest object around it. Only asked when something is wrong: positions cost time. */
export function locate(text: string, path: readonly PropertyKey[]): number {
  const lineCounter = new LineCounter();
  let node: unknown = parseDocument(text, { lineCounter, logLevel: "silent" }).contents;
  let offset = startOf(node, 0);
  for (const key of path) {
    const { next, at } = step(node, key);
    if (next === undefined) break;
    node = next;
    offset = at ?? startOf(node, offset);
  }
  return lineCounter.linePos(offset).line;
}

/** step goes one key down. A field's place is its key's: the value may begin lines below. */
function step(node: unknown, key: PropertyKey): { readonly next?: unknown; readonly at?: number } {
  if (isSeq(node)) return { next: node.items[Number(key)] };
  if (!isMap(node)) return {};
  const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === key);
  if (pair === undefined) return {};
  return { next: pair.value ?? pair.key, at: startOf(pair.key, 0) };
}

function startOf(node: unknown, fallback: number): number {
  return (isNode(node) ? (node as Node).range?.[0] : undefined) ?? fallback;
}
