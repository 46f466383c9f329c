import { zoneName } from "./corefile-address.ts";
import type { Draft } from "./corefile-draft.ts";
import type { ErrorsRule, LogClass, LogRule } from "./corefile-plan.ts";
import type { Directive } from "./corefile-syntax.ts";

/** Formats of CoreDNS's log plugin. */
const COMMON =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';
const FORMATS: Readonly<Record<string, string>> = { "{common}": COMMON, "{combined}": `${COMMON} "{>opcode}"` };
const CLASSES: readonly LogClass[] = ["success", "denial", "error", "all"];

/** readLog reads log [NAMES…] [FORMAT] { class CLASS… }. A format has braces; names have none. */
export function readLog({ args, block }: Directive, draft: Draft): void {
  const zones: string[] = [];
  let format = COMMON;
  for (const [at, word] of args.entries()) {
    const name = zoneName(word.text);
    if (at === args.length - 1 && /[{}]/.test(word.text)) format = FORMATS[word.text] ?? word.text;
    else if (name.ok) zones.push(name.value);
    else draft.fault(word, name.error);
  }
  const classes: LogClass[] = [];
  for (const { name, args: words } of block ?? []) {
    if (name.text !== "class") draft.fault(name, `log has no "${name.text}": it has class`);
    for (const word of name.text === "class" ? words : []) {
      const found = CLASSES.find((known) => known === word.text);
      if (found === undefined) draft.fault(word, `log: a class is one of ${CLASSES.join(", ")}: "${word.text}"`);
      else classes.push(found);
    }
  }
  const rule: LogRule = { zones, format, classes: classes.length === 0 ? ["all"] : classes };
  draft.log.push(rule);
}

const LEVELS = ["warning", "error", "info", "debug"] as const;

/** readErrors reads errors { stacktrace; consolidate SPAN PATTERN [LEVEL] [show_first] }. */
export function readErrors(directive: Directive, draft: Draft): void {
  draft.atMost(0, directive);
  const consolidate: ErrorsRule["consolidate"][number][] = [];
  for (const { name, args } of directive.block ?? []) {
    if (name.text === "stacktrace") continue; // faults of the program itself always have theirs
    if (name.text !== "consolidate") {
      draft.fault(name, `errors has no "${name.text}": it has stacktrace and consolidate`);
      continue;
    }
    const [span, text, ...rest] = args;
    const pattern = patternOf(text?.text ?? "");
    const level = LEVELS.find((known) => rest.some((word) => word.text === known)) ?? "error";
    if (span === undefined || text === undefined)
      draft.fault(name, 'consolidate needs a span and a pattern, as: 5m ".* timeout$"');
    else if (pattern === undefined) draft.fault(text, `is no pattern: "${text.text}"`);
    else {
      const everyMs = draft.span(span, 1, 30_000);
      consolidate.push({ everyMs, pattern, level, showFirst: rest.some((word) => word.text === "show_first") });
    }
  }
  draft.errors = { consolidate };
}

function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}
