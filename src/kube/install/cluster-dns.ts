import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import { part } from "../sink/projection.ts";
import { addForward, reloads, removeForward } from "./corefile.ts";
import type { Editor } from "./editor.ts";

/** Where kubeadm and most others keep CoreDNS. */
const CONFIG = { kind: "ConfigMap", namespace: "kube-system", name: "coredns" } as const;
const DEPLOYMENT = { kind: "Deployment", namespace: "kube-system", name: "coredns" } as const;
const ZONE = "clusterset.local";
const BY_HAND = "give --dns-integration none, and have the cluster's DNS forward clusterset.local yourself";

/** forwardZone has the cluster's CoreDNS send the clusterset's names to an address. Gives what was done, for people. */
export function forwardZone(editor: Editor, address: string, clock: Clock): Promise<Result<string>> {
  return change(editor, clock, (corefile) => addForward(corefile, ZONE, address));
}

/** forgetZone takes back what forwardZone did; a CoreDNS that is gone needs nothing. */
export async function forgetZone(editor: Editor, clock: Clock): Promise<Result<string>> {
  const found = await editor.get(CONFIG);
  if (!found.ok) return found;
  return found.value === undefined ? ok("there is none") : change(editor, clock, (text) => ok(removeForward(text)));
}

async function change(
  editor: Editor,
  clock: Clock,
  edit: (corefile: string) => Result<string>,
): Promise<Result<string>> {
  const found = await editor.get(CONFIG);
  if (!found.ok) return found;
  const before = part(found.value, "data")["Corefile"];
  if (typeof before !== "string") return err(`there is no ConfigMap kube-system/coredns with a Corefile: ${BY_HAND}`);
  const after = edit(before);
  if (!after.ok) return after;
  if (after.value === before) return ok("as it is to be");
  // Whoever changed it since is not overwritten: the version must be the one that was read.
  const metadata = { resourceVersion: found.value?.metadata["resourceVersion"] };
  const done = await editor.merge(CONFIG, { metadata, data: { Corefile: after.value } });
  if (!done.ok) return done;
  if (reloads(after.value)) return ok("changed; CoreDNS reads it within two minutes");
  const restarted = await restart(editor, clock);
  return restarted.ok ? ok("changed; CoreDNS is started again, since it does not `reload`") : restarted;
}

/** As `kubectl rollout restart` does. */
async function restart(editor: Editor, clock: Clock): Promise<Result<void>> {
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date(clock.now()).toISOString() };
  return editor.merge(DEPLOYMENT, { spec: { template: { metadata: { annotations } } } });
}
