import { z } from "zod";
import { type Cidr, type ClusterId, cidrFamily, err, ok, parseCidr, parseClusterId, type Result } from "#values";
import { supernetFault } from "./pools.ts";

/** PlannedCluster is one cluster as somebody means to build it. */
export interface PlannedCluster {
  readonly id: ClusterId;
  readonly pods: readonly Cidr[];
  readonly services: readonly Cidr[];
  readonly nodes: readonly Cidr[];
  /** Global prefixes by hand: the first stands for the first pod CIDR, and so on. */
  readonly globals: readonly Cidr[];
}

/** Plan is the address plan of a clusterset before anything is installed. */
export interface Plan {
  readonly supernets: readonly Cidr[];
  readonly clusters: readonly PlannedCluster[];
}

/** Refused at once: a plan is written by hand, and each rule looks at all of it. */
const MOST_CLUSTERS = 1000;
const MOST_CIDRS = 64;
const DEFAULT_SUPERNET = "242.0.0.0/8" as Cidr;

const cidr = parsedBy(parseCidr);
const supernet = parsedBy((text) => {
  const net = parseCidr(text);
  const fault = net.ok ? supernetFault(net.value) : undefined;
  return fault === undefined ? net : err(fault);
});
const cluster = z.strictObject({
  id: parsedBy(parseClusterId),
  podCidr: listOf(cidr).optional(),
  podCidrs: listOf(cidr).optional(),
  serviceCidr: listOf(cidr).optional(),
  serviceCidrs: listOf(cidr).optional(),
  nodeCidr: listOf(cidr).optional(),
  nodeCidrs: listOf(cidr).optional(),
  globalCidr: listOf(cidr).optional(),
  globalCidrs: listOf(cidr).optional(),
});
const schema = z
  .strictObject({ supernet: listOf(supernet).optional(), clusters: z.array(cluster).min(1).max(MOST_CLUSTERS) })
  .superRefine((plan, ctx) => {
    for (const [path, message] of crossFaults(plan)) ctx.addIssue({ code: "custom", path, message });
  });
type Written = Pick<z.infer<typeof schema>, "supernet" | "clusters">;

/** parsePlan checks a document and gives every key one form; otherwise all faults, each with its place. */
export function parsePlan(document: unknown): Result<Plan, readonly string[]> {
  const read = schema.safeParse(document);
  if (!read.success) return err(read.error.issues.map((issue) => `${placeOf(issue.path)}: ${issue.message}`));
  const clusters = read.data.clusters.map((c) => ({
    id: c.id,
    pods: c.podCidrs ?? c.podCidr ?? [],
    services: c.serviceCidrs ?? c.serviceCidr ?? [],
    nodes: c.nodeCidrs ?? c.nodeCidr ?? [],
    globals: c.globalCidrs ?? c.globalCidr ?? [],
  }));
  return ok({ supernets: read.data.supernet ?? [DEFAULT_SUPERNET], clusters });
}

/** crossFaults are those between keys: a thing written twice, or not at all. */
function* crossFaults({ supernet: nets = [], clusters }: Written): Generator<[PropertyKey[], string]> {
  if (new Set(nets.map(cidrFamily)).size < nets.length) yield [["supernet"], "at most one supernet per family"];
  const seen = new Set<ClusterId>();
  for (const [i, c] of clusters.entries()) {
    const at = ["clusters", i];
    if (seen.has(c.id)) yield [[...at, "id"], `${c.id} is the id of two clusters`];
    seen.add(c.id);
    if (c.podCidr === undefined && c.podCidrs === undefined) yield [[...at, "podCidrs"], "is missing"];
    for (const key of ["podCidr", "serviceCidr", "nodeCidr", "globalCidr"] as const) {
      if (c[key] !== undefined && c[`${key}s`] !== undefined) yield [at, `write ${key} or ${key}s, not both`];
    }
  }
}

/** parsedBy makes a schema of one of our own parsers: strings in, branded values out. */
function parsedBy<T>(parse: (text: string) => Result<T>) {
  return z.string().transform((text, ctx) => {
    const value = parse(text);
    if (value.ok) return value.value;
    ctx.addIssue(value.error);
    return z.NEVER;
  });
}

/** listOf takes one string for a list of one. */
function listOf<T>(item: z.ZodType<T, string>) {
  const list = z.array(item, { error: "must be a string or a list of strings" }).min(1).max(MOST_CIDRS);
  return z.preprocess((value) => (typeof value === "string" ? [value] : value), list);
}

/** placeOf writes a path as people write it: `clusters[1].podCidrs[0]`. */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return place === "" ? "the plan" : place.replace(/^\./, "");
}
