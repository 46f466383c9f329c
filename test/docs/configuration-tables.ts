import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadVerbs, type Verb } from "#cli";
import { ROOT } from "./pages.ts";

const VERBS = await loadVerbs();

type Setting = Verb["settings"][number];

/** configurationTables writes a section for every command with its settings, as docs/configuration.md holds them. */
export function configurationTables(verbs: readonly Verb[]): string {
  return verbs.flatMap((verb) => sectionsOf(verb, "")).join("\n");
}

/** A command that has others below it does nothing itself, unless it is a daemon. */
function sectionsOf(verb: Verb, above: string): readonly string[] {
  const name = `${above}${verb.name}`;
  const below = (verb.verbs ?? []).flatMap((sub) => sectionsOf(sub, `${name} `));
  if (verb.verbs !== undefined && verb.daemon !== true) return below;
  const args = (verb.args ?? []).map(({ name: argument, help }) => ` ${code(argument)} is ${help}.`);
  const head = "| flag | variable | key | default | meaning |\n|---|---|---|---|---|\n";
  return [
    `## ${name}\n\n${sentence(verb.summary)}.${args.join("")}\n\n${head}${verb.settings.map(rowOf).join("")}`,
    ...below,
  ];
}

function rowOf({ flag, value, help, fallback, secret }: Setting): string {
  const cells = [
    code(`--${flag}${value === null ? "" : ` ${value}`}`),
    code(`MERIDIAN_${flag.toUpperCase().replaceAll("-", "_")}`),
    secret === true || flag === "config"
      ? ""
      : code(flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())),
    fallback === undefined ? "" : code(fallback),
    help.replaceAll("|", "\\|"),
  ];
  return `|${cells.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|
`;
}

/** Angle brackets are how the usage marks what is needed; here the marks of code do. */
function code(text: string): string {
  return `\`${text.replace(/^<(.*)>$/, "$1").replaceAll("|", "\\|")}\``;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** FIRST is where the sections begin; what stands before is written by hand. */
export const FIRST = "## broker\n";

// Run by itself, it brings the page up to date.
if (import.meta.main) {
  const path = join(ROOT, "docs/configuration.md");
  const text = readFileSync(path, "utf8");
  const at = text.indexOf(FIRST);
  writeFileSync(path, (at === -1 ? text : text.slice(0, at)) + configurationTables(VERBS));
}
