import { createHash } from "node:crypto";
import { baseChains, type Chain, COUNTERS } from "./base-chains.ts";
import { SET_NAMES, SET_TYPES, setContents } from "./base-sets.ts";
import type { GlobalnetPlan } from "./globalnet-plan.ts";

/** The base table: guard, translation and sets. */
export const BASE_TABLE = "meridian";

/** TableShape tells two tables apart without their elements. */
export interface TableShape {
  /** Of the text without elements; it is the table's comment, so that it can be read back. */
  readonly digest: string;
  /** Number of rules: fewer mean that somebody flushed the table. */
  readonly rules: number;
}

/** render is the base table of a plan as one `nft -f` transaction: create, delete, create replaces it atomically, even
 *  the first time. Equal plans give equal text. The service table is another table, which this leaves alone. */
export function render(plan: GlobalnetPlan): string {
  const { digest } = baseShape(plan);
  return replaceTable(BASE_TABLE, digest, [...declarations(plan), ...baseChains(plan).flatMap(chainLines)]);
}

/** baseShape is the shape of a plan's base table. What sets hold is no part of it. */
export function baseShape(plan: GlobalnetPlan): TableShape {
  const chains = baseChains(plan);
  const rules = chains.reduce((sum, { rules }) => sum + rules.length, 0);
  return { digest: digestOf([...COUNTERS, ...Object.values(SET_TYPES), ...chains.flatMap(chainLines)]), rules };
}

/** replaceTable puts a table's lines into a transaction that replaces it. */
export function replaceTable(name: string, digest: string, lines: readonly string[]): string {
  const head = [`table ip ${name}`, `delete table ip ${name}`, `table ip ${name} {`, `  comment "${digest}"`];
  return [...head, ...lines.map((line) => `  ${line}`), "}", ""].join("\n");
}

/** digestOf is short enough for a table's comment (128 bytes). */
export function digestOf(lines: readonly string[]): string {
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 32);
}

/** chainLines writes a base chain, one rule a line. */
export function chainLines({ name, type, hook, priority, rules }: Chain): readonly string[] {
  const head = `type ${type} hook ${hook} priority ${priority}; policy accept;`;
  return [`chain ${name} {`, `  ${head}`, ...rules.map((rule) => `  ${rule}`), "}"];
}

function declarations(plan: GlobalnetPlan): readonly string[] {
  const contents = setContents(plan);
  const sets = SET_NAMES.map((name) => {
    const elements = contents[name].length === 0 ? "" : ` elements = { ${contents[name].join(", ")} };`;
    return `set ${name} { ${SET_TYPES[name]};${elements} }`;
  });
  return [...COUNTERS.map((name) => `counter ${name} { }`), ...sets];
}
