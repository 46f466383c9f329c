import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findKubeTools } from "#lab";
import { addService, at, conditionOf, exportService, importOf, noImport, slicesOf, unexport } from "./objects.ts";
import { type KubeMember, type KubeScene, raisePair } from "./scene.ts";

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

/** Submariner and others bring CRDs that serve `v1alpha1` alone. */
describe.skipIf(!tools.ok)(
  "a cluster that serves only the older version of the API, beside one that serves both",
  () => {
    let scene: KubeScene;
    let amber: KubeMember;
    let birch: KubeMember;

    beforeAll(async () => {
      if (tools.ok) ({ scene, amber, birch } = await raisePair(tools.value, { versions: { amber: "v1alpha1" } }));
    });
    afterAll(() => scene?.down());

    test.each([
      ["exports", () => [amber, birch] as const],
      ["imports", () => [birch, amber] as const],
    ])("%s as the other does", async (name, pair) => {
      const [from, to] = pair();
      await addService(from, name);
      await exportService(from, name);
      const made = await importOf(to, name);
      expect(at(made, "apiVersion")).toBe(`multicluster.x-k8s.io/${to === amber ? "v1alpha1" : "v1beta1"}`);
      await slicesOf(to, name, 1);
      await conditionOf(from, name, { type: "Ready", status: "True", reason: "Exported" });
      await unexport([from], name);
      await noImport(to, name);
    });
  },
);
