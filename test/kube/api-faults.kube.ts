import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLive } from "#kube";
import { eventually, findKubeTools } from "#lab";
import { err, ok } from "#values";
import { apiAway, CONVERGED_MS } from "./api-away.ts";
import { addService, at, derivedOf, exportService, importOf, noImport, slicesOf, unexport } from "./objects.ts";
import { type KubeMember, type KubeScene, NAMESPACE, raisePair } from "./scene.ts";

/** Faults of an API server (faults.md F27–F30, F33): names go on, nothing is deleted that should not be, and what is
 *  written is no more than what changed, by the API server's own audit. */

const { RESOURCES } = await loadLive();
const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

/** How long the API server is away. */
const AWAY_MS = 10_000;

describe.skipIf(!tools.ok)("an API server that fails", () => {
  let scene: KubeScene;
  let amber: KubeMember;
  let birch: KubeMember;

  beforeAll(async () => {
    if (!tools.ok) return;
    ({ scene, amber, birch } = await raisePair(tools.value));
    for (const name of ["stays", "goes"]) {
      await addService(amber, name);
      await exportService(amber, name);
      await importOf(birch, name);
      await slicesOf(birch, name, 1);
    }
  });
  afterAll(() => scene?.down());

  const address = async (name: string): Promise<string> =>
    String(at(await derivedOf(birch, await importOf(birch, name)), "spec", "clusterIP"));

  test("at rest nothing is written", async () => {
    await sleep(3000); // an object is written once a second: the last of what came before may wait for that
    for (const { plane } of [amber, birch]) await plane.writes();
    await sleep(5000);
    expect(await birch.plane.writes()).toEqual([]);
    expect(await amber.plane.writes()).toEqual([]);
  });

  test("away: every name is answered, and what happened meanwhile is there within five seconds of its return (F29, F33)", async () => {
    await apiAway({ amber, birch }, AWAY_MS);
    await unexport([amber], "meanwhile");
  });

  test("a right that is taken away is named, what was written stays; given back, all goes on (F30)", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      plural: "clusterrolebindings",
    };
    const before = await slicesOf(birch, "stays", 1);
    await birch.user.remove({ ...role, namespaced: false }, "", "meridian-gateway");
    // Running watches go on until they end: the gateway is started anew, as a pod would be.
    await birch.gateway.stop();
    await scene.start(birch);
    const trouble = await birch.gateway.line(/kubernetes-unread.*services/);
    expect(trouble).toContain("the right to list and watch");
    await sleep(1000);
    expect(await slicesOf(birch, "stays", 1)).toEqual(before);
    await birch.user.grantGateway();
    await birch.gateway.line(/"ready"/);
    await addService(amber, "after");
    await exportService(amber, "after");
    await importOf(birch, "after");
    await unexport([amber], "after");
  });

  test("restored from a backup: the cluster is as the clusterset is, not as it was (security.md, restored backups)", async () => {
    await addService(amber, "restored");
    await exportService(amber, "restored");
    await importOf(birch, "restored");
    await birch.plane.backup();
    await addService(amber, "newer");
    await exportService(amber, "newer");
    await importOf(birch, "newer");
    await amber.user.remove(RESOURCES.serviceExports, NAMESPACE, "restored");
    await noImport(birch, "restored");
    await slicesOf(birch, "restored", 0);
    const stays = await address("stays");
    await birch.plane.restore();
    const back = performance.now();
    await importOf(birch, "newer");
    await noImport(birch, "restored");
    expect(performance.now() - back).toBeLessThan(CONVERGED_MS);
    expect(await address("stays")).toBe(stays);
    await slicesOf(birch, "restored", 0);
    await slicesOf(birch, "newer", 1);
  });

  test("killed and started anew, the gateway writes nothing that is there already", async () => {
    // What was withdrawn before goes some seconds after its name.
    const still = await eventually(
      async () => {
        await birch.plane.writes();
        await sleep(3000);
        return (await birch.plane.writes()).length === 0 ? ok(undefined) : err("something is still written");
      },
      { timeoutMs: 30_000 },
    );
    expect(still.ok).toBe(true);
    await scene.restart(birch, "SIGKILL");
    await sleep(3000);
    const settled = await eventually(async () => {
      const found = await slicesOf(birch, "stays", 1);
      return found.length === 1 ? ok(found) : err("its slice is gone");
    });
    expect(settled.ok).toBe(true);
    expect(await birch.plane.writes()).toEqual([]);
  });

  test("with the broker away too: a gateway that was started anew still keeps its objects as they are to be (F11)", async () => {
    await scene.stopBroker();
    await scene.restart(birch, "SIGKILL");
    const before = await address("stays");
    await birch.user.remove(RESOURCES.serviceImports, NAMESPACE, "stays");
    expect(at(await importOf(birch, "stays"), "spec", "ips")).toEqual([before]);
    await scene.startBroker();
    await addService(amber, "later");
    await exportService(amber, "later");
    await importOf(birch, "later", () => true, 40_000);
  });
});
