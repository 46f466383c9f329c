import { err, ok, type Result } from "#values";
import { part } from "../sink/projection.ts";
import type { KubeObject } from "./deploy-files.ts";
import type { Editor } from "./editor.ts";

/** rolledOut waits until every pod of a DaemonSet is of its newest template and ready; there is at least one unless
 *  `mayBeEmpty`. What is waited for is said when it changes; where it takes too long, the error has what the pods say. */
export async function rolledOut(
  editor: Editor,
  namespace: string,
  name: string,
  { timeoutMs, say, mayBeEmpty = false }: RolloutAsk,
): Promise<Result<number>> {
  let said = "";
  let ready = 0;
  const done = await editor.until(timeoutMs, async () => {
    const found = await editor.get({ kind: "DaemonSet", namespace, name });
    if (!found.ok) return found;
    if (found.value === undefined) return err(`DaemonSet ${namespace}/${name} is gone`);
    const { left, pods } = progress(found.value, mayBeEmpty ? 0 : 1);
    ready = pods;
    if (left !== null && left !== said) say(`  ${left}`);
    said = left ?? said;
    return ok(left);
  });
  if (done.ok) return ok(ready);
  const component = `app.kubernetes.io/component=${name.replace(/^meridian-/, "")}`;
  const why = await complaints(editor, namespace, component);
  return err(`${name}: ${done.error}${why === "" ? "" : `: ${why}`}`);
}

export interface RolloutAsk {
  readonly timeoutMs: number;
  readonly say: (line: string) => void;
  readonly mayBeEmpty?: boolean;
}

/** progress reads a DaemonSet's status (apps/v1): null is left where all is done, for at least so many pods. */
export function progress(object: KubeObject, least = 1): { readonly left: string | null; readonly pods: number } {
  const status = part(object, "status");
  const count = (field: string): number => Number(status[field] ?? 0);
  const wanted = count("desiredNumberScheduled");
  const fresh = count("updatedNumberScheduled");
  const ready = count("numberReady");
  if (Number(status["observedGeneration"] ?? 0) < Number(object.metadata["generation"] ?? 0)) {
    return { left: "waiting for the controller", pods: ready };
  }
  const whole = wanted >= least && fresh === wanted && ready === wanted && count("numberUnavailable") === 0;
  return { left: whole ? null : `${ready} of ${wanted} ready, ${fresh} up to date`, pods: ready };
}

/** complaints is what the pods of a component say of themselves, shortly. */
async function complaints(editor: Editor, namespace: string, selector: string): Promise<string> {
  const pods = await editor.list("Pod", namespace, selector);
  if (!pods.ok) return "";
  return pods.value
    .flatMap((pod) => {
      const states = ["initContainerStatuses", "containerStatuses"].flatMap((field) => {
        const list = part(pod, "status")[field];
        return Array.isArray(list) ? list : [];
      });
      const said = states.map(complaintOf).filter((text) => text !== "");
      const waits = states.length === 0 ? [unscheduled(pod)] : said;
      return waits.filter((text) => text !== "").map((text) => `pod ${pod.metadata.name}: ${text}`);
    })
    .join("; ");
}

function complaintOf(status: unknown): string {
  const waiting = part(status, "state", "waiting");
  const ended = part(status, "lastState", "terminated");
  const parts = [waiting["reason"], waiting["message"], ended["message"], ended["reason"]];
  const text = [...new Set(parts.filter((one) => typeof one === "string" && one !== ""))].join(", ");
  return text === "" ? "" : `${String(part(status)["name"])}: ${text}`;
}

function unscheduled(pod: KubeObject): string {
  const conditions = part(pod, "status")["conditions"];
  const all = Array.isArray(conditions) ? conditions : [];
  const found = all.find((one) => part(one)["type"] === "PodScheduled" && part(one)["status"] !== "True");
  return found === undefined ? "" : String(part(found)["message"] ?? "");
}
