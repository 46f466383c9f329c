import { ok, type Result } from "#values";
import { part } from "../sink/projection.ts";
import { crds, type KubeObject } from "./deploy-files.ts";
import type { Editor } from "./editor.ts";
import { nameOf } from "./kinds.ts";
import { asOurs, isOurs } from "./ours.ts";

/** A CRD is served within a second or two. */
const SERVED_MS = 30_000;

/** installCrds applies the CRDs that nobody else brought, and waits until they are served. Gives the names of those that
 *  were there already. */
export async function installCrds(editor: Editor): Promise<Result<readonly string[]>> {
  const theirs: string[] = [];
  for (const crd of crds()) {
    const found = await editor.get(nameOf(crd));
    if (!found.ok) return found;
    if (found.value !== undefined && !isOurs(found.value)) {
      theirs.push(crd.metadata.name);
      continue;
    }
    const applied = await editor.apply(asOurs(crd));
    if (!applied.ok) return applied;
  }
  for (const crd of crds()) {
    const served = await editor.until(SERVED_MS, async () => {
      const found = await editor.get(nameOf(crd));
      if (!found.ok) return found;
      return ok(isEstablished(found.value) ? null : `the CRD ${crd.metadata.name} is not served`);
    });
    if (!served.ok) return served;
  }
  return ok(theirs);
}

function isEstablished(crd: KubeObject | undefined): boolean {
  const conditions = part(crd, "status")["conditions"];
  const all = Array.isArray(conditions) ? conditions.map((one) => part(one)) : [];
  return all.some(({ type, status }) => type === "Established" && status === "True");
}
