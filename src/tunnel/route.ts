import { type Cidr, err, type Ip, ok, type Result } from "#values";
import { PROTOCOL } from "./ours.ts";

/** Route is one route of ours. Of `dev`, `via` and `nhid` at most one says where it leads; an unreachable has none. */
export interface Route {
  readonly type: "unicast" | "unreachable" | "local";
  readonly dst: Cidr;
  readonly dev?: string;
  /** Next hops, sorted; more than one share the load. */
  readonly via?: readonly Ip[];
  /** Nexthop group. */
  readonly nhid?: number;
  /** Source address that processes of this node use. */
  readonly src?: Ip;
  readonly metric: number;
  readonly table: number;
}

export const MAIN_TABLE = 254;
export const LOCAL_TABLE = 255;

/** The names that iproute2 gives to tables (rtnetlink(7)); all others are numbers. */
const TABLES: Readonly<Record<string, number>> = { main: MAIN_TABLE, local: LOCAL_TABLE, default: 253 };

/** routeText writes a route as `ip route add` takes it. Equal routes give equal texts. */
export function routeText({ type, dst, dev, via = [], nhid, src, metric, table }: Route): string {
  const words: string[] = type === "unicast" ? [dst] : [type, dst];
  if (dev !== undefined) words.push("dev", dev);
  if (nhid !== undefined) words.push("nhid", String(nhid));
  if (via.length === 1) words.push("via", ...via);
  if (src !== undefined) words.push("src", src);
  if (metric !== 0) words.push("metric", String(metric));
  if (table !== MAIN_TABLE) words.push("table", String(table));
  words.push("proto", String(PROTOCOL));
  if (via.length > 1) words.push(...via.flatMap((hop) => ["nexthop", "via", hop]));
  return words.join(" ");
}

/** routeKey is what the kernel tells routes apart by: one route each. */
export function routeKey({ dst, metric, table }: Route): string {
  return `${table} ${dst} ${metric}`;
}

/** RouteJson is a route as `ip -j route` writes it, as far as it matters here. */
export interface RouteJson {
  readonly type?: string;
  readonly dst?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly via?: { readonly host?: string };
  readonly nhid?: number;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly table?: string;
  readonly scope?: string;
  readonly nexthops?: readonly { readonly gateway?: string }[];
}

/** parseRoutes reads `ip -4 -j route show table all proto 77`. */
export function parseRoutes(text: string): Result<readonly Route[]> {
  const rows = parseRows<RouteJson>(text);
  return rows.ok ? ok(rows.value.map(routeOf)) : rows;
}

/** parseRows reads a JSON list of `ip -j`, which prints nothing at all where there is nothing. */
export function parseRows<T>(text: string): Result<readonly T[]> {
  if (text.trim() === "") return ok([]);
  try {
    const rows: unknown = JSON.parse(text);
    return Array.isArray(rows) ? ok(rows as readonly T[]) : err("ip -j: not a list");
  } catch {
    return err(`ip -j: not JSON: ${text.slice(0, 80)}`);
  }
}

/** prefixOf gives a destination of `ip -j` its length: it leaves /32 out and calls 0.0.0.0/0 `default`. */
export function prefixOf(dst: string): Cidr {
  if (dst === "default") return "0.0.0.0/0" as Cidr;
  return (dst.includes("/") ? dst : `${dst}/32`) as Cidr;
}

/** routeOf drops what the kernel adds by itself: the link of a next hop, scope, flags, the nexthops inside a group. */
function routeOf(row: RouteJson): Route {
  const via = (row.nexthops ?? [row]).flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway as Ip]));
  const leads =
    row.nhid !== undefined ? { nhid: row.nhid } : via.length > 0 ? { via: via.sort() } : row.dev && { dev: row.dev };
  return {
    type: row.type === "unreachable" || row.type === "local" ? row.type : "unicast",
    dst: prefixOf(row.dst ?? "default"),
    ...leads,
    ...(row.prefsrc !== undefined && { src: row.prefsrc as Ip }),
    metric: row.metric ?? 0,
    table: TABLES[row.table ?? "main"] ?? Number(row.table),
  };
}
