import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { digestOf, type Envelope } from "#wire";
import type { GatewayPlace } from "../cli/testbed-daemons.ts";

/** Status is what a gateway says of itself, as far as these tests look at it. */
export interface Status {
  readonly broker: { readonly connected: boolean };
  readonly revision: number | null;
  readonly stateAgeSeconds: number | null;
  readonly peers: readonly unknown[];
  readonly exports: readonly { readonly namespace: string; readonly name: string }[];
  readonly imports: readonly { readonly namespace: string; readonly name: string; readonly clusters: string[] }[];
  readonly troubles: readonly {
    readonly code: string;
    readonly severity: string;
    readonly title: string;
    readonly detail: string;
  }[];
}

export async function statusOf({ http }: Pick<GatewayPlace, "http">): Promise<Status> {
  return (await (await fetch(`http://127.0.0.1:${http}/v1/status`)).json()) as Status;
}

/** metricOf sums the series of one metric whose labels match. */
export async function metricOf({ http }: Pick<GatewayPlace, "http">, name: string, label = ""): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** Witness is everything that a gateway without a data plane believes and does: two of them are equal or not. */
export interface Witness {
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  readonly zoneNames: number;
  readonly answers: Readonly<Record<string, readonly string[]>>;
  /** Key, order and digest of every record on its disk. */
  readonly records: readonly string[];
}

/** witnessOf looks at a gateway from outside: what it says, what it answers, and what it has on its disk. */
export async function witnessOf(place: GatewayPlace): Promise<Witness> {
  const { imports, exports } = await statusOf(place);
  const names = imports.map(({ namespace, name }) => `${name}.${namespace}.svc.clusterset.local`);
  const answers = await Promise.all(names.map(async (name) => [name, await answerOf(place, name)] as const));
  return {
    imports: imports.map(({ namespace, name, clusters }) => `${namespace}/${name} ${clusters.toSorted()}`).sort(),
    exports: exports.map(({ namespace, name }) => `${namespace}/${name}`).sort(),
    zoneNames: await metricOf(place, "meridian_dns_zone_names"),
    answers: Object.fromEntries(answers),
    records: recordsOf(place.data).sort(),
  };
}

/** answerOf is what a name means here; an error's code where it means nothing. */
export async function answerOf({ dns }: Pick<GatewayPlace, "dns">, name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([`127.0.0.1:${dns}`]);
  try {
    return (await resolver.resolve4(name)).sort();
  } catch (error) {
    return [String((error as NodeJS.ErrnoException).code)];
  }
}

/** recordsOf reads the cache beside the gateway that writes it. */
function recordsOf(data: string): string[] {
  return cacheOf(data).map((envelope) => {
    const { key, order } = envelope;
    return `${key} ${order.epoch}.${order.seq} ${digestOf(envelope)}`;
  });
}

/** cacheOf is every record on a gateway's disk. */
export function cacheOf(data: string): readonly Envelope[] {
  const db = new DatabaseSync(join(data, "cache.db"), { readOnly: true });
  const rows = db.prepare("SELECT key, epoch, seq, body, signature FROM records").all();
  db.close();
  return rows.map(({ key, epoch, seq, body, signature }) => {
    return { key, order: { epoch, seq }, body, signature } as unknown as Envelope;
  });
}
