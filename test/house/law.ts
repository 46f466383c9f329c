import { dirname, join, normalize } from "node:path";
import { importsOf, type SourceFile } from "./source-files.ts";

/** The rooms in their order: one may import only from those above it. */
export const ROOMS = [
  "values",
  "life",
  "wire",
  "ipam",
  "services",
  "policy",
  "globalnet",
  "tunnel",
  "probe",
  "dns",
  "identity",
  "sync",
  "store",
  "metrics",
  "admin",
  "kube",
  // The `node` role: what the gateways of its cluster tell it is all it knows.
  "node",
  "broker",
  "gateway",
  // The `dns` role: source -> zone -> responder -> http. It composes as the gateway does, and shares nothing with it.
  "nameserver",
  "cli",
] as const;

/** Bans beside the order, each with its reason. */
const ISLANDS = ["ipam", "services", "policy", "globalnet", "tunnel", "probe", "dns"] as const;
const WHY_ISLAND = "it must be understood, tested and replaced by itself";
const WHY: Readonly<Record<string, string>> = {
  "gateway>broker": "they meet only in what they say to each other (wire)",
  "broker>gateway": "they meet only in what they say to each other (wire)",
  "nameserver>gateway": "the responder alone needs no broker, no tunnel and no identity",
  "nameserver>broker": "the responder alone needs no broker",
  "nameserver>wire": "the responder alone speaks with no broker",
  "dns>wire": "names are answered from memory, whatever the source",
};
/** What may be used of the registry, and where. A package that is not here is not used. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "ip-address": ["values"],
  "@kubernetes/client-node": ["kube"],
  koffi: ["life", "dns", "probe"],
  pino: ["life"],
  zod: ["wire", "ipam", "identity", "kube", "admin", "broker", "gateway"],
  yaml: ["kube", "cli"],
  ws: ["sync"],
  "prom-client": ["metrics"],
  commander: ["cli"],
  dns2: ["dns"],
};

/** faultsIn gives one line for every import in a file that its room may not make. */
export function faultsIn({ path, room, text, isTest }: SourceFile): readonly string[] {
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith(".")) return relativeFault(path, room, specifier);
    if (specifier.startsWith("#")) return roomFault(path, room, specifier.slice(1));
    return packageFault(path, room, specifier, isTest);
  });
}

function relativeFault(path: string, room: string, specifier: string): readonly string[] {
  const target = normalize(join(dirname(path), specifier));
  const leaves = room !== "" && !target.startsWith(`src/${room}/`);
  return leaves && !target.endsWith(".json") ? [`${path}: ${specifier} leaves the room; import "#room" instead`] : [];
}

function roomFault(path: string, room: string, to: string): readonly string[] {
  if (room === "" || to === room) return to === room ? [`${path}: a room imports itself by relative paths`] : [];
  const from = ROOMS.indexOf(room as (typeof ROOMS)[number]);
  const target = ROOMS.indexOf(to as (typeof ROOMS)[number]);
  if (target === -1) return [`${path}: there is no room ${to}`];
  const why = WHY[`${room}>${to}`] ?? (isIsland(room) && target > 1 ? WHY_ISLAND : undefined);
  if (why !== undefined) return [`${path}: ${room} may not import ${to}: ${why}`];
  return target < from ? [] : [`${path}: ${room} stands above ${to} and may not import it`];
}

function isIsland(room: string): boolean {
  return (ISLANDS as readonly string[]).includes(room);
}

function packageFault(path: string, room: string, specifier: string, isTest: boolean): readonly string[] {
  if (specifier.startsWith("node:") || isTest || room === "") return [];
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return PACKAGES[name]?.includes(room) === true ? [] : [`${path}: the room ${room} does not use the package ${name}`];
}

/** cycles finds rings of imports between files; each is given by one path around it. */
export function cycles(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map(files.map(({ path, room, text }) => [path, targetsOf(path, room, text)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) found.push([...trail.slice(at), path].join(" -> "));
    if (at !== -1 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** Workers' URLs start another program: they are no imports of this one. */
function targetsOf(path: string, _room: string, text: string): readonly string[] {
  const imported = importsOf(text.replaceAll("new URL(", ""));
  return imported.flatMap((specifier) => {
    if (specifier.startsWith("#")) return [`src/${specifier.slice(1)}/index.ts`];
    return specifier.startsWith(".") ? [normalize(join(dirname(path), specifier))] : [];
  });
}
