import { err, ok, type Result } from "#values";
import { part } from "../sink/projection.ts";
import { GATEWAY_LABEL } from "../well-known.ts";
import type { KubeObject } from "./deploy-files.ts";
import type { Editor } from "./editor.ts";

/** So many are chosen where nobody says: one may go. */
const CHOSEN = 2;
const CONTROL_PLANE = "node-role.kubernetes.io/control-plane";

/** labelGateways sees that there are gateway nodes, and gives their names: those that are asked for and no others, else
 *  those that have the label, else two that are ready. */
export async function labelGateways(editor: Editor, asked: readonly string[]): Promise<Result<readonly string[]>> {
  const nodes = await editor.list("Node", "");
  if (!nodes.ok) return nodes;
  const chosen = chooseGateways(nodes.value, asked);
  if (!chosen.ok) return chosen;
  const wanted = new Set(chosen.value);
  for (const node of nodes.value) {
    const want = wanted.has(node.metadata.name);
    if (want === isGateway(node)) continue;
    const done = await label(editor, node.metadata.name, want ? "true" : null);
    if (!done.ok) return done;
  }
  return chosen;
}

/** unlabelGateways takes the label from every node. */
export async function unlabelGateways(editor: Editor): Promise<Result<void>> {
  const nodes = await editor.list("Node", "", GATEWAY_LABEL);
  if (!nodes.ok) return nodes;
  for (const { metadata } of nodes.value) {
    const done = await label(editor, metadata.name, null);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/** chooseGateways decides which nodes are gateways. */
export function chooseGateways(nodes: readonly KubeObject[], asked: readonly string[]): Result<readonly string[]> {
  const names = nodes.map(({ metadata }) => metadata.name);
  const strangers = asked.filter((name) => !names.includes(name));
  if (strangers.length > 0) return err(`there is no node ${strangers.join(", ")}: the cluster has ${names.join(", ")}`);
  if (asked.length > 0) return ok(asked);
  const labelled = nodes.filter(isGateway).map(({ metadata }) => metadata.name);
  if (labelled.length > 0) return ok(labelled);
  const able = nodes.filter(isAble).toSorted(byFitness);
  if (able.length === 0) return err("no node is ready and takes pods: give --gateway-node NAME");
  return ok(able.slice(0, CHOSEN).map(({ metadata }) => metadata.name));
}

function isGateway({ metadata }: KubeObject): boolean {
  return metadata.labels?.[GATEWAY_LABEL] === "true";
}

function isAble(node: KubeObject): boolean {
  const conditions = part(node, "status")["conditions"];
  const ready = Array.isArray(conditions) ? conditions.find((one) => part(one)["type"] === "Ready") : undefined;
  return part(ready)["status"] === "True" && part(node, "spec")["unschedulable"] !== true;
}

/** Workers first; then by name, so that the same are chosen again. */
function byFitness(a: KubeObject, b: KubeObject): number {
  const rank = ({ metadata }: KubeObject): number => (metadata.labels?.[CONTROL_PLANE] === undefined ? 0 : 1);
  return rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

function label(editor: Editor, name: string, value: "true" | null): Promise<Result<void>> {
  return editor.merge({ kind: "Node", namespace: "", name }, { metadata: { labels: { [GATEWAY_LABEL]: value } } });
}
