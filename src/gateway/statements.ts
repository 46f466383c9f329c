import type { Manifests } from "#kube";
import type { ClusterId, Ip, Namespace, NodeName, ServiceName } from "#values";
import { type Catalogue, formatKey, parseKey } from "#wire";
import type { Place } from "./compile-network.ts";
import { exportBodyOf, type Translation } from "./export-body.ts";
import { isPlace, type NumberedNode, numberNodes } from "./number-nodes.ts";
import type { Statement } from "./speaker.ts";

/** translationOf is how this member's addresses are translated; nothing is until its prefixes are granted. `others` are
 *  the member's nodes but for this one. */
export function translationOf(
  place: Place | undefined,
  nodeLocal: Ip | null,
  others: readonly { readonly local: Ip; readonly global: Ip }[],
): Translation {
  if (place === undefined) return { pods: [], nodes: new Map() };
  const nodes = new Map(others.map(({ local, global }) => [local, global]));
  if (nodeLocal !== null) nodes.set(nodeLocal, place.node);
  return { pods: place.pods, nodes };
}

/** exportKey names the record of an export. */
export function exportKey(cluster: ClusterId, key: string): string {
  const [namespace = "", name = ""] = key.split("/");
  return formatKey({ kind: "export", cluster, namespace: namespace as Namespace, name: name as ServiceName });
}

/** serviceOf is the inverse, in a list: empty for a record that is no export. */
export function serviceOf(recordKey: string): readonly string[] {
  const key = parseKey(recordKey);
  return key.ok && key.value.kind === "export" ? [`${key.value.namespace}/${key.value.name}`] : [];
}

export interface StatementView {
  readonly cluster: ClusterId;
  readonly catalogue: Catalogue;
  readonly manifests: Manifests;
  readonly translation: Translation;
  /** Milliseconds since 1970: the age of an export that is signed for the first time. */
  readonly now: number;
}

/** statementOf is pure: what one record of ours should say now. An export that is absent from the manifests is taken
 *  back, unless a file could not be read yet: then its absence proves nothing. */
export function statementOf(view: StatementView, recordKey: string): Statement | undefined {
  const key = parseKey(recordKey);
  if (!key.ok) return undefined;
  if (key.value.kind === "nodes") return { key: recordKey, body: nodesOf(view) };
  if (key.value.kind !== "export") return undefined;
  const name = `${key.value.namespace}/${key.value.name}`;
  const local = view.manifests.exports.get(name);
  if (local === undefined) return view.manifests.unread.size > 0 ? undefined : { key: recordKey, body: null };
  const first = view.catalogue.members.get(view.cluster)?.exports.get(name)?.createdAt ?? view.now;
  return { key: recordKey, body: exportBodyOf(local, first, view.translation) ?? null };
}

/** The nodes of a member and their global addresses. While not everything could be read, a node that was not found may
 *  be there all the same. */
function nodesOf({ catalogue, cluster, manifests }: StatementView): { readonly nodes: readonly NumberedNode[] } {
  const holding = catalogue.ledger.holding(cluster);
  const prefix = holding?.nodes[0];
  if (holding === undefined || prefix === undefined) return { nodes: [] };
  const before = catalogue.members.get(cluster)?.nodes?.nodes ?? [];
  const found = [...manifests.nodes].flatMap(([name, { gateway }]) => (gateway ? [] : [name as NodeName]));
  const kept = manifests.unread.size === 0 ? [] : before.filter(({ address }) => isPlace(prefix, address));
  const others = [...found, ...kept.map(({ name }) => name)];
  return { nodes: numberNodes({ prefix, gateways: holding.gateways, others, before }) };
}
