import {
  type ClusterId,
  err,
  type Namespace,
  type NodeName,
  ok,
  parseClusterId,
  parseNamespace,
  parseNodeName,
  parseServiceName,
  type Result,
  type ServiceName,
  type Signature,
} from "#values";

/** Order of a record among those of the same key: the higher one is newer. What the two numbers mean depends on the
 *  kind: (incarnation, seq) of a gateway, (epoch, seq) of a head and what stands under it, (store generation, number)
 *  of what the broker's allocation key signs. */
export interface Order {
  readonly epoch: number;
  readonly seq: number;
}

/** Envelope is a record as it travels and is stored. `body` is the exact JSON text that was signed, so that fields
 *  which this version does not know are kept. Records under a head carry no signature of their own: the head's covers
 *  their digests. */
export interface Envelope {
  readonly key: string;
  readonly order: Order;
  readonly body: string;
  readonly signature: Signature | null;
}

interface ClusterKey<Kind> {
  readonly kind: Kind;
  readonly cluster: ClusterId;
}

interface EndKey<Kind> extends ClusterKey<Kind> {
  /** Of the membership that ends; a key of the first version has none. */
  readonly generation?: number;
}

/** RecordKey is a parsed key: the kind says who may write it.
 *    member/C eviction/C/GENERATION grant/N      the broker's allocation key
 *    leave/C/GENERATION gateway/C/NAME head/C    member C's identity key
 *    export/C/NS/NAME nodes/C                    covered by head/C
 *  An end carries its generation in the key, so that no later one takes its place: a receiver that slept through both
 *  needs the end of the generation that it knows. */
export type RecordKey =
  | ClusterKey<"member">
  | EndKey<"eviction">
  | EndKey<"leave">
  | ClusterKey<"head">
  | ClusterKey<"nodes">
  | { readonly kind: "gateway"; readonly cluster: ClusterId; readonly name: NodeName }
  | { readonly kind: "export"; readonly cluster: ClusterId; readonly namespace: Namespace; readonly name: ServiceName }
  | { readonly kind: "grant"; readonly number: number };

export type RecordKind = RecordKey["kind"];

/** Of a grant or a generation: from 1, and exact as a number. */
const NUMBER = /^[1-9]\d{0,14}$/;

/** compareOrder is negative where a is older than b. */
export function compareOrder(a: Order, b: Order): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

export function formatKey(key: RecordKey): string {
  switch (key.kind) {
    case "grant":
      return `grant/${key.number}`;
    case "gateway":
      return `gateway/${key.cluster}/${key.name}`;
    case "export":
      return `export/${key.cluster}/${key.namespace}/${key.name}`;
    case "leave":
    case "eviction":
      return `${key.kind}/${key.cluster}${key.generation === undefined ? "" : `/${key.generation}`}`;
    default:
      return `${key.kind}/${key.cluster}`;
  }
}

/** parseKey reads a key that arrived from outside; the error names what is wrong. */
export function parseKey(text: string): Result<RecordKey> {
  const [kind = "", first = "", ...rest] = text.split("/");
  if (kind === "grant") return grantKey(text, first, rest);
  const cluster = parseClusterId(first);
  if (!cluster.ok) return err(`record ${JSON.stringify(text.slice(0, 120))}: ${cluster.error}`);
  if (kind === "gateway" && rest.length === 1) {
    const name = parseNodeName(rest[0] ?? "");
    return name.ok ? ok({ kind, cluster: cluster.value, name: name.value }) : name;
  }
  if (kind === "export" && rest.length === 2) {
    const namespace = parseNamespace(rest[0] ?? "");
    const name = parseServiceName(rest[1] ?? "");
    if (!namespace.ok) return namespace;
    return name.ok ? ok({ kind, cluster: cluster.value, namespace: namespace.value, name: name.value }) : name;
  }
  if ((kind === "leave" || kind === "eviction") && rest.length === 1 && NUMBER.test(rest[0] ?? "")) {
    return ok({ kind, cluster: cluster.value, generation: Number(rest[0]) });
  }
  const plain = kind === "member" || kind === "eviction" || kind === "leave" || kind === "head" || kind === "nodes";
  return plain && rest.length === 0
    ? ok({ kind, cluster: cluster.value })
    : err(`no such kind of record: ${JSON.stringify(text.slice(0, 120))}`);
}

function grantKey(text: string, number: string, rest: readonly string[]): Result<RecordKey> {
  const good = NUMBER.test(number) && rest.length === 0;
  return good
    ? ok({ kind: "grant", number: Number(number) })
    : err(`not a grant: ${JSON.stringify(text.slice(0, 120))}`);
}

/** inChronicle reports whether a kind is compared when a session begins: who is a member, what was granted, and how far
 *  each has spoken. All else follows from it, or is said anew by whoever said it. */
export function inChronicle(kind: RecordKind): boolean {
  return kind === "member" || kind === "eviction" || kind === "leave" || kind === "grant" || kind === "head";
}

/** underHead reports whether a kind is covered by its cluster's head instead of a signature of its own. */
export function underHead(kind: RecordKind): boolean {
  return kind === "export" || kind === "nodes";
}
