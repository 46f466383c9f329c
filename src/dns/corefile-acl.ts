import { zoneName } from "./corefile-address.ts";
import type { Draft } from "./corefile-draft.ts";
import type { AclRule } from "./corefile-plan.ts";
import type { Directive } from "./corefile-syntax.ts";
import type { Token } from "./corefile-tokens.ts";
import { typeNumber } from "./iana.ts";

const ACTIONS = ["allow", "block", "filter", "drop"] as const;

/** readAcl reads acl [ZONES…] { ACTION [type TYPE…] [net SOURCE…] }: block is REFUSED, filter an empty NOERROR, drop
 *  silence. Without `type` every type is meant, without `net` every source. */
export function readAcl({ name, args, block }: Directive, draft: Draft): void {
  if (block === null || block.length === 0) draft.fault(name, "acl needs rules, as: { block type ANY net 10.0.0.0/8 }");
  const zones = args.flatMap((zone) => {
    const read = zoneName(zone.text);
    if (!read.ok) draft.fault(zone, read.error);
    return read.ok ? [read.value] : [];
  });
  for (const rule of block ?? []) {
    const action = ACTIONS.find((known) => known === rule.name.text);
    if (action === undefined) draft.fault(rule.name, `acl has no "${rule.name.text}": it has ${ACTIONS.join(", ")}`);
    else draft.acl.push(readRule(action, zones, rule.args, draft));
  }
}

/** Words behind `type` are types, behind `net` sources; `*` is all of them. */
function readRule(action: AclRule["action"], zones: readonly string[], words: readonly Token[], draft: Draft): AclRule {
  const types: number[] = [];
  const nets: NonNullable<ReturnType<Draft["net"]>>[] = [];
  let section = "";
  for (const word of words) {
    if (word.text === "type" || word.text === "net") section = word.text;
    else if (section === "") draft.fault(word, `acl: "${word.text}" must stand behind type or net`);
    else if (word.text === "*") continue;
    else if (section === "net") {
      const net = draft.net(word);
      if (net !== undefined) nets.push(net);
    } else {
      const type = typeNumber(word.text);
      if (type === undefined) draft.fault(word, `is no record type: "${word.text}"`);
      else types.push(type);
    }
  }
  return { action, zones, types, nets };
}
