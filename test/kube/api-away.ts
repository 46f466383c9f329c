import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { loadLive } from "#kube";
import { DnsWatch } from "../faults/dns-watch.ts";
import { addService, exportService, importOf, noImport, slicesOf } from "./objects.ts";
import { type KubeMember, NAMESPACE } from "./scene.ts";

const { RESOURCES } = await loadLive();

/** How soon after its return an API server has what happened meanwhile. */
export const CONVERGED_MS = 5000;

/** apiAway has birch's API server away for some time, while amber exports `meanwhile` and withdraws `goes`; `stays` is
 *  asked for all along. It expects all three names as the time before left them, and ends with `meanwhile` in force. */
export async function apiAway(
  { amber, birch }: { readonly amber: KubeMember; readonly birch: KubeMember },
  awayMs: number,
): Promise<{ readonly convergedMs: number; readonly asked: number; readonly writes: number }> {
  await using queries = new DnsWatch(birch.dns, [`stays.${NAMESPACE}.svc.clusterset.local`]);
  await birch.plane.stopApiServer();
  await addService(amber, "meanwhile", { pods: ["10.244.0.7"] });
  await exportService(amber, "meanwhile");
  await amber.user.remove(RESOURCES.serviceExports, NAMESPACE, "goes");
  await sleep(awayMs);
  await birch.plane.writes();
  await birch.plane.startApiServer();
  const back = performance.now();
  await importOf(birch, "meanwhile");
  await slicesOf(birch, "meanwhile", 1);
  await noImport(birch, "goes");
  const convergedMs = performance.now() - back;
  expect(convergedMs).toBeLessThan(CONVERGED_MS);
  await slicesOf(birch, "goes", 0);
  expect(queries.asked).toBeGreaterThan(awayMs / 50);
  expect(queries.lapses).toEqual([]);
  // Service, slice, import and status of the new one; import, slice and Service of the old one.
  const writes = await birch.plane.writes();
  expect(writes.length).toBeLessThanOrEqual(14); // until its RBAC is read an API server refuses everything
  const done = writes.filter(({ code }) => code < 300);
  expect(done.map(({ verb, resource }) => `${verb} ${resource}`).toSorted()).toEqual([
    "delete endpointslices",
    "delete serviceimports",
    "delete services",
    "patch endpointslices",
    "patch serviceimports",
    "patch serviceimports/status",
    "patch services",
  ]);
  return { convergedMs, asked: queries.asked, writes: writes.length };
}
