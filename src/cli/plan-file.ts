import { type Document, isNode, type LineCounter } from "yaml";
import { err, ok, type Result } from "#values";
import { openYaml } from "./open-yaml.ts";
import { readText } from "./read-text.ts";

/** PlanFile is a YAML document whose faults can be told by line. */
export interface PlanFile {
  readonly content: unknown;
  /** at puts file and line before a fault that begins with a place, as `clusters[0].id: …` does. */
  readonly at: (fault: string) => string;
}

/** readPlan reads a file. The error is all that its YAML has wrong, one fault a line. */
export function readPlan(file: string): Result<PlanFile, readonly string[]> {
  const text = readText(file);
  if (!text.ok) return err([`${file}: ${text.error}`]);
  const opened = openYaml(file, text.value);
  if (!opened.ok) return opened;
  const { document, lines } = opened.value;
  const at = (fault: string): string => `${file}:${lineOf(document, lines, fault)}: ${fault}`;
  try {
    return ok({ content: document.toJS({ maxAliasCount: 100 }), at });
  } catch (error) {
    return err([`${file}:1: ${(error as Error).message}`]); // aliases that would grow without bound
  }
}

/** lineOf finds the line of a place; where there is no such field, that of the nearest object around it. */
function lineOf(document: Document, lines: LineCounter, fault: string): number {
  const place = /^([\w.[\]]+): /.exec(fault)?.[1] ?? "";
  const path = place.match(/[^.[\]]+/g) ?? [];
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node)) return lines.linePos(node.range?.[0] ?? 0).line;
  }
  return lines.linePos(document.contents?.range?.[0] ?? 0).line;
}
