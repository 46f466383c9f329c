import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import type { ApiServer } from "../api/api-server.ts";
import { part } from "../sink/projection.ts";
import { removeAll } from "../sink/remove-all.ts";
import { GATEWAY_LABEL } from "../well-known.ts";
import { adapt, GATEWAY_CONFIG, IMAGE } from "./adapt.ts";
import { forgetZone } from "./cluster-dns.ts";
import { crds, type KubeObject, manifests } from "./deploy-files.ts";
import { Editor } from "./editor.ts";
import { unlabelGateways } from "./gateway-nodes.ts";
import { IDENTITY_SECRET, IdentityStore } from "./identity-secret.ts";
import { NODES } from "./install.ts";
import { describe, nameOf } from "./kinds.ts";
import { isOurs } from "./ours.ts";
import { rolledOut } from "./rollout.ts";

export interface UninstallAsk {
  readonly namespace: string;
  /** For the pods that clean the nodes; null: the image that the gateways have. */
  readonly image: string | null;
  /** Whether the users' ServiceExports may go with their CRD. */
  readonly withExports: boolean;
  /** Whether a broker in the namespace may go with it. */
  readonly withBroker: boolean;
  readonly timeoutMs: number;
}

export interface UninstallDeps {
  readonly api: Pick<ApiServer, "request">;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Ends the membership of whom the store holds; gives what to say of it. */
  readonly leave: (store: IdentityStore) => Promise<Result<string>>;
}

const GATEWAYS = "meridian-gateway";
const CLEANERS = "meridian-uninstall";
const BROKER = "meridian-broker";

/** uninstall takes everything away that install made and that the gateways wrote: first the names, then what they lead
 *  to, so that no client is told of what does not work. Done twice it changes nothing. Where a broker would go with the
 *  namespace, nothing is touched unless `withBroker` is set: it has every cluster's membership. */
export async function uninstall(ask: UninstallAsk, deps: UninstallDeps, signal: AbortSignal): Promise<Result<void>> {
  const { api, clock, say } = deps;
  const editor = new Editor(api, clock, signal);
  const { namespace } = ask;
  const spared = ask.withBroker ? ok(undefined) : await spareBroker(editor, namespace);
  if (!spared.ok) return spared;
  const steps: readonly (readonly [string, () => Promise<Result<string>>])[] = [
    ["cluster DNS", () => forgetZone(editor, clock)],
    ["gateways", () => gone(editor, ask, { kind: "DaemonSet", namespace, name: GATEWAYS })],
    ["other nodes", () => gone(editor, ask, { kind: "DaemonSet", namespace, name: NODES })],
    ["membership", () => deps.leave(new IdentityStore(editor, namespace))],
    ["imports and derived Services", () => objects(deps, signal)],
    ["nodes", () => cleanNodes(editor, ask, say)],
    ["namespace and rights", () => removeOwn(editor, ask)],
    ["definitions", () => removeCrds(editor, ask, deps, signal)],
  ];
  for (const [what, step] of steps) {
    const done = await step();
    if (!done.ok) return err(`${what}: ${done.error}`);
    say(`${what}: ${done.value}`);
  }
  return ok(undefined);
}

/** A namespace of somebody else's stays, with whatever is in it. A broker that Helm took away has left its data. */
async function spareBroker(editor: Editor, namespace: string): Promise<Result<void>> {
  const home = await editor.get({ kind: "Namespace", namespace: "", name: namespace });
  if (!home.ok) return home;
  if (home.value === undefined || !isOurs(home.value)) return ok(undefined);
  for (const kind of ["Deployment", "PersistentVolumeClaim"]) {
    const name = { kind, namespace, name: BROKER };
    const found = await editor.get(name);
    if (!found.ok) return found;
    if (found.value === undefined) continue;
    return err(
      `${describe(name)} would go with the namespace, and the membership of every cluster with it: --force takes it, too`,
    );
  }
  return ok(undefined);
}

async function gone(editor: Editor, { timeoutMs }: UninstallAsk, name: Parameters<Editor["get"]>[0]) {
  const done = await editor.remove(name, timeoutMs);
  return done.ok ? ok("gone") : done;
}

async function objects({ api }: UninstallDeps, signal: AbortSignal): Promise<Result<string>> {
  const removed = await removeAll(api, signal);
  return removed.ok ? ok(`${removed.value} objects deleted`) : removed;
}

/** A pod on each node undoes what is there. Where the namespace is gone already, so is that. */
async function cleanNodes(
  editor: Editor,
  { namespace, image, timeoutMs }: UninstallAsk,
  say: (line: string) => void,
): Promise<Result<string>> {
  const [home, nodes] = [
    await editor.get({ kind: "Namespace", namespace: "", name: namespace }),
    await editor.list("Node", "", GATEWAY_LABEL),
  ];
  if (!home.ok) return home;
  if (!nodes.ok) return nodes;
  if (home.value === undefined || nodes.value.length === 0) return ok("clean");
  const config = await editor.get({ kind: "ConfigMap", namespace, name: GATEWAY_CONFIG });
  if (!config.ok) return config;
  const used = part(config.value, "metadata", "annotations")[IMAGE];
  const settings = { namespace, image: image ?? String(used ?? ""), gateway: {} };
  if (settings.image === "") return err("nothing in the cluster says which image the gateways had: give --image");
  for (const object of adapt(manifests("uninstall"), settings)) {
    const applied = await editor.apply(object);
    if (!applied.ok) return applied;
  }
  const cleaned = await rolledOut(editor, namespace, CLEANERS, { timeoutMs, say });
  if (!cleaned.ok) return cleaned;
  const removed = await editor.remove({ kind: "DaemonSet", namespace, name: CLEANERS }, timeoutMs);
  if (!removed.ok) return removed;
  const unlabelled = await unlabelGateways(editor);
  return unlabelled.ok ? ok(`${cleaned.value} clean`) : unlabelled;
}

/** With a namespace of ours goes all that is in it; in somebody else's each object of ours is taken by its name. */
async function removeOwn(editor: Editor, { namespace, timeoutMs }: UninstallAsk): Promise<Result<string>> {
  const name = { kind: "Namespace", namespace: "", name: namespace };
  const home = await editor.get(name);
  if (!home.ok) return home;
  const whole = home.value !== undefined && isOurs(home.value);
  const secret = { kind: "Secret", namespace, name: IDENTITY_SECRET };
  const made = [...manifests("gateway"), ...manifests("node"), ...manifests("rbac")];
  const objects = adapt(made, { namespace, image: "", gateway: {} }).map(nameOf);
  const inside = home.value === undefined ? [] : [...objects.filter((one) => one.namespace === namespace), secret];
  const outside = objects.filter((one) => one.namespace !== namespace);
  for (const one of [...outside, ...(whole ? [name] : inside)]) {
    const removed = await editor.remove(one, timeoutMs);
    if (!removed.ok) return removed;
  }
  return ok(
    whole || home.value === undefined ? "gone" : `gone; the namespace ${namespace} was there before, and stays`,
  );
}

/** The CRD of ServiceExports holds what users wrote: it stays while they did, unless they say otherwise. */
async function removeCrds(
  editor: Editor,
  { withExports, timeoutMs }: UninstallAsk,
  { api }: UninstallDeps,
  signal: AbortSignal,
): Promise<Result<string>> {
  const kept: string[] = [];
  for (const crd of crds()) {
    const found = await editor.get(nameOf(crd));
    if (!found.ok) return found;
    if (found.value === undefined) continue;
    const left = withExports ? 0 : await countOf(api, found.value, signal);
    if (!isOurs(found.value)) kept.push(`${crd.metadata.name} (not ours)`);
    else if (left > 0) kept.push(`${crd.metadata.name} (${left} objects of users; --with-exports deletes them)`);
    else {
      const removed = await editor.remove(nameOf(crd), timeoutMs);
      if (!removed.ok) return removed;
    }
  }
  return ok(kept.length === 0 ? "gone" : `kept: ${kept.join(", ")}`);
}

/** countOf counts the objects of a kind, at most one page of them. */
async function countOf(api: UninstallDeps["api"], crd: KubeObject, signal: AbortSignal): Promise<number> {
  const { group, names, versions } = crd["spec"] as {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly storage: boolean }[];
  };
  const version = versions.find(({ storage }) => storage)?.name ?? "";
  const found = await api.request(
    { path: `/apis/${group}/${version}/${names.plural}`, query: { limit: "500" } },
    signal,
  );
  // what cannot be counted is not deleted
  return found.ok ? ((found.value as { readonly items?: readonly unknown[] }).items ?? []).length : 1;
}
