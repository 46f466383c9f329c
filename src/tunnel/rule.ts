import { type Cidr, ok, type Result } from "#values";
import { PROTOCOL, RULE_PREFERENCES } from "./ours.ts";
import { parseRows } from "./route.ts";

/** Rule is one policy rule: what this node itself sends (`iif lo`) to `to` looks in `table` first. */
export interface Rule {
  readonly preference: number;
  readonly to: Cidr;
  readonly table: number;
  /** Only packets from this port, or to it. */
  readonly match?: { readonly protocol: "udp" | "tcp"; readonly end: "sport" | "dport"; readonly port: number };
}

/** By number, as RFC 791 has them: `ip` reads their names from /etc/protocols, which small systems and images lack. */
const NUMBER_OF = { udp: 17, tcp: 6 } as const;

/** ruleText writes a rule as `ip rule add` and `ip rule del` take it. */
export function ruleText({ preference, to, table, match }: Rule): string {
  const ports = match === undefined ? "" : ` ipproto ${NUMBER_OF[match.protocol]} ${match.end} ${match.port}`;
  return `pref ${preference} iif lo to ${to}${ports} lookup ${table} protocol ${PROTOCOL}`;
}

/** RuleJson is a rule as `ip -j rule` writes it, as far as it matters here. */
interface RuleJson {
  readonly priority?: number;
  readonly dst?: string;
  readonly dstlen?: number;
  readonly table?: string;
  readonly ipproto?: string;
  readonly sport?: number;
  readonly dport?: number;
}

/** parseRules reads `ip -4 -j rule show` and keeps the rules in our range of priorities. */
export function parseRules(text: string): Result<readonly Rule[]> {
  const rows = parseRows<RuleJson>(text);
  if (!rows.ok) return rows;
  const [first, last] = RULE_PREFERENCES;
  return ok(rows.value.filter(({ priority = 0 }) => priority >= first && priority <= last).map(ruleOf));
}

/** ruleOf reads what a rule of ours has. One of somebody else in our range comes out as something that we never want,
 *  and is deleted by what is legible of it: priority, destination and table. */
function ruleOf({ priority = 0, dst = "0.0.0.0", dstlen = 32, table = "", ipproto, sport, dport }: RuleJson): Rule {
  const port = sport ?? dport;
  const protocol = ipproto === "tcp" || ipproto === "ipproto-6" ? "tcp" : "udp";
  return {
    preference: priority,
    to: (dst.includes("/") ? dst : `${dst}/${dst === "all" ? 0 : dstlen}`) as Cidr,
    table: Number(table),
    ...(port !== undefined && { match: { protocol, end: sport === undefined ? "dport" : "sport", port } }),
  };
}
