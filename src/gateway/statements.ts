import type { Manifests } from "#kube";
import type { ClusterId, Ip, Namespace, ServiceName } from "#values";
import { type Catalogue, formatKey, parseKey } from "#wire";
import { nodeAddress, type Place } from "./compile-network.ts";
import { exportBodyOf, type Translation } from "./export-body.ts";
import type { Statement } from "./speaker.ts";

/** translationOf is how this member's addresses are translated; nothing is until its prefixes are granted. */
export function translationOf(place: Place | undefined, nodeLocal: Ip | null): Translation {
  const nodes = place === undefined || nodeLocal === null ? new Map<Ip, Ip>() : new Map([[nodeLocal, place.node]]);
  return { pods: place?.pods ?? [], nodes };
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

/** The nodes of a member and their global addresses; its gateways are named by their index. */
function nodesOf({ catalogue, cluster }: StatementView): { readonly nodes: readonly { name: string; address: Ip }[] } {
  const holding = catalogue.ledger.holding(cluster);
  const prefix = holding?.nodes[0];
  if (holding === undefined || prefix === undefined) return { nodes: [] };
  const gateways = [...holding.gateways].sort((a, b) => a.index - b.index);
  return { nodes: gateways.map(({ name, index }) => ({ name, address: nodeAddress(prefix, index) })) };
}
