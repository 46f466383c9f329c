import { ok, type Result } from "#values";
import { parseRows } from "./route.ts";

/** NexthopJson is a nexthop object as `ip -j nexthop` writes it, as far as it matters here. */
interface NexthopJson {
  readonly id?: number;
  readonly dev?: string;
  readonly group?: readonly { readonly id?: number }[];
}

/** Nexthops are our nexthop objects: plain ones by device, groups by the ids of their members. */
export interface Nexthops {
  readonly nexthops: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, readonly number[]>;
}

/** parseNexthops reads `ip -j nexthop show proto 77`: plain nexthops by device, groups by members. */
export function parseNexthops(text: string): Result<Nexthops> {
  const rows = parseRows<NexthopJson>(text);
  if (!rows.ok) return rows;
  const nexthops = new Map<number, string>();
  const groups = new Map<number, readonly number[]>();
  for (const { id = 0, dev = "", group } of rows.value) {
    if (group === undefined) nexthops.set(id, dev);
    else
      groups.set(
        id,
        group.map((member) => member.id ?? 0).sort((a, b) => a - b),
      );
  }
  return ok({ nexthops, groups });
}
