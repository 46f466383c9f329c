import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import type { ApiServer } from "../api/api-server.ts";
import { part } from "../sink/projection.ts";
import { adapt, type InstallSettings } from "./adapt.ts";
import { forwardZone } from "./cluster-dns.ts";
import { installCrds } from "./definitions-here.ts";
import { type KubeObject, manifests } from "./deploy-files.ts";
import { Editor } from "./editor.ts";
import { labelGateways } from "./gateway-nodes.ts";
import { IdentityStore } from "./identity-secret.ts";
import { describe, nameOf } from "./kinds.ts";
import { asOurs, isOurs } from "./ours.ts";
import { rolledOut } from "./rollout.ts";

/** InstallAsk is one installation. */
export interface InstallAsk extends InstallSettings {
  /** Nodes that become the gateways, and no others; empty: as chooseGateways has it. */
  readonly gatewayNodes: readonly string[];
  /** Who tells pods the clusterset's names: the cluster's CoreDNS, or somebody whom the operator tells. */
  readonly dns: "coredns" | "none";
  readonly timeoutMs: number;
}

export interface InstallDeps {
  readonly api: Pick<ApiServer, "request">;
  readonly clock: Clock;
  /** Hears of each step: a line, for people. */
  readonly say: (line: string) => void;
  /** Sees that the store holds the identity, joining if need be; gives what to say of it. */
  readonly identify: (store: IdentityStore) => Promise<Result<string>>;
}

/** install makes everything that a cluster needs, in an order in which nothing waits for what comes later, and waits
 *  until the gateways serve. Done twice it changes nothing; what went wrong is tried again by calling it again. */
export async function install(ask: InstallAsk, deps: InstallDeps, signal: AbortSignal): Promise<Result<void>> {
  const { clock, say } = deps;
  const editor = new Editor(deps.api, clock, signal);
  const elsewhere = await otherHome(editor, ask.namespace);
  if (!elsewhere.ok) return elsewhere;
  const rights = adapt(manifests("rbac"), ask);
  const parts = adapt([...manifests("gateway"), ...manifests("node")], ask);
  const isDaemon = ({ kind }: KubeObject): boolean => kind === "DaemonSet";
  const steps: readonly Step[] = [
    ["definitions", () => definitions(editor)],
    [`namespace ${ask.namespace}`, () => home(editor, ask)],
    ["rights", () => applyAll(editor, rights)],
    ["identity", () => deps.identify(new IdentityStore(editor, ask.namespace))],
    ["gateway nodes", () => nodes(editor, ask)],
    [
      "configuration and Service",
      () =>
        applyAll(
          editor,
          parts.filter((object) => !isDaemon(object)),
        ),
    ],
    ["daemons", () => daemons(editor, ask, parts.filter(isDaemon), say)],
    ["cluster DNS", () => clusterDns(editor, ask, clock)],
  ];
  return inTurn(steps, say);
}

/** installIdentity makes what nobody else can make, and nothing more: the namespace, where there is none, and in it the
 *  identity. Whatever else installs the gateways finds it. */
export async function installIdentity(
  { namespace }: Pick<InstallAsk, "namespace">,
  { api, clock, say, identify }: InstallDeps,
  signal: AbortSignal,
): Promise<Result<void>> {
  const editor = new Editor(api, clock, signal);
  const elsewhere = await otherHome(editor, namespace);
  if (!elsewhere.ok) return elsewhere;
  const steps: readonly Step[] = [
    [`namespace ${namespace}`, () => makeHome(editor, namespace)],
    ["identity", () => identify(new IdentityStore(editor, namespace))],
  ];
  return inTurn(steps, say);
}

/** DaemonSet of the nodes without a gateway. */
export const NODES = "meridian-node";

type Step = readonly [what: string, step: () => Promise<Result<string>>];

async function inTurn(steps: readonly Step[], say: (line: string) => void): Promise<Result<void>> {
  for (const [what, step] of steps) {
    const done = await step();
    if (!done.ok) return err(`${what}: ${done.error}`);
    say(`${what}: ${done.value}`);
  }
  return ok(undefined);
}

/** renderedHome is what installIdentity makes, but for the identity. */
export function renderedHome(namespace: string): readonly KubeObject[] {
  return adapt(manifests("namespace"), { namespace, image: "", gateway: {} });
}

/** A namespace that is there is left as it is: an installation may have written more into it. */
async function makeHome(editor: Editor, namespace: string): Promise<Result<string>> {
  const found = await editor.get({ kind: "Namespace", namespace: "", name: namespace });
  if (!found.ok) return found;
  if (found.value !== undefined) return ok("there already");
  return applyAll(editor, renderedHome(namespace).map(asOurs));
}

/** rendered is what an installation applies, but for the identity: for `--dry-run`. */
export function rendered(settings: InstallSettings, crds: readonly KubeObject[]): readonly KubeObject[] {
  const own = [...manifests("namespace"), ...manifests("rbac"), ...manifests("gateway"), ...manifests("node")];
  return [...crds, ...adapt(own, settings)];
}

async function definitions(editor: Editor): Promise<Result<string>> {
  const theirs = await installCrds(editor);
  if (!theirs.ok) return theirs;
  return ok(theirs.value.length === 0 ? "served" : `served; left as they are: ${theirs.value.join(", ")}`);
}

/** Two installations would share rights, ports and names: a cluster has one. */
async function otherHome(editor: Editor, namespace: string): Promise<Result<void>> {
  const found = await editor.list("DaemonSet", "", "app.kubernetes.io/name=meridian");
  if (!found.ok) return found;
  const other = found.value.find(({ metadata }) => metadata.namespace !== namespace);
  return other === undefined
    ? ok(undefined)
    : err(`it is installed in the namespace ${other.metadata.namespace}: give --namespace ${other.metadata.namespace}`);
}

/** A namespace that somebody else made is used as it is, and stays when we go. */
async function home(editor: Editor, ask: InstallAsk): Promise<Result<string>> {
  const found = await editor.get({ kind: "Namespace", namespace: "", name: ask.namespace });
  if (!found.ok) return found;
  if (found.value !== undefined && !isOurs(found.value)) return ok("somebody else's, left as it is");
  return applyAll(editor, adapt(manifests("namespace"), ask).map(asOurs));
}

async function applyAll(editor: Editor, objects: readonly KubeObject[]): Promise<Result<string>> {
  for (const object of objects) {
    const done = await editor.apply(object);
    if (!done.ok) return done;
  }
  return ok(objects.length === 1 ? "applied" : `${objects.length} objects`);
}

async function nodes(editor: Editor, { gatewayNodes }: InstallAsk): Promise<Result<string>> {
  const chosen = await labelGateways(editor, gatewayNodes);
  return chosen.ok ? ok(chosen.value.join(", ")) : chosen;
}

async function daemons(
  editor: Editor,
  { timeoutMs }: InstallAsk,
  objects: readonly KubeObject[],
  say: (line: string) => void,
): Promise<Result<string>> {
  const applied = await applyAll(editor, objects);
  if (!applied.ok) return applied;
  const ready: string[] = [];
  for (const object of objects) {
    const { namespace, name } = nameOf(object);
    // Every node may be a gateway.
    const done = await rolledOut(editor, namespace, name, { timeoutMs, say, mayBeEmpty: name === NODES });
    if (!done.ok) return done;
    ready.push(`${done.value} ${name === NODES ? "other nodes" : "gateways"}`);
  }
  return ok(`${ready.join(" and ")} ready`);
}

async function clusterDns(editor: Editor, { dns, namespace }: InstallAsk, clock: Clock): Promise<Result<string>> {
  const name = { kind: "Service", namespace, name: "meridian-dns" };
  const found = await editor.get(name);
  if (!found.ok) return found;
  const address = part(found.value, "spec")["clusterIP"];
  if (typeof address !== "string" || address === "") return err(`${describe(name)} has no address`);
  if (dns === "none") return ok(`left alone: have it forward clusterset.local to ${address}`);
  const done = await forwardZone(editor, address, clock);
  return done.ok ? ok(`clusterset.local goes to ${address} (${done.value})`) : done;
}
