import { expect, test } from "vitest";
import { systemClock } from "#life";
import { err } from "#values";
import { fakeApi } from "./fake-api.ts";
import { uninstall } from "./uninstall.ts";

const BROKER = "/apis/apps/v1/namespaces/nets/deployments/meridian-broker";
const DATA = "/api/v1/namespaces/nets/persistentvolumeclaims/meridian-broker";

/** An uninstallation that ends where the membership does. */
async function uninstallFrom(known: readonly string[], withBroker: boolean) {
  const { api, asked } = fakeApi(known);
  const ask = { namespace: "nets", image: null, withExports: false, withBroker, timeoutMs: 5_000 };
  const deps = { api, clock: systemClock, say: () => {}, leave: async () => err("as far as this goes") };
  const done = await uninstall(ask, deps, AbortSignal.timeout(5_000));
  return { fault: done.ok ? "" : done.error, changed: asked.filter((one) => !one.startsWith("GET")) };
}

test.each([
  ["a broker", BROKER, "Deployment nets/meridian-broker"],
  ["a broker's data", DATA, "PersistentVolumeClaim nets/meridian-broker"],
])("uninstall() changes nothing where the namespace holds %s", async (_what, path, name) => {
  const { fault, changed } = await uninstallFrom([path], false);
  expect(fault).toMatch(new RegExp(`^${name} would go with the namespace, .*--force`));
  expect(changed).toEqual([]);
});

test.each([
  ["takes a broker, too, when it is told to", [BROKER, DATA], true],
  ["needs no leave where there is no broker", [], false],
])("uninstall() %s", async (_what, known, withBroker) => {
  const { fault, changed } = await uninstallFrom(known, withBroker);
  expect(fault).toBe("membership: as far as this goes");
  expect(changed).toEqual(["DELETE /apis/apps/v1/namespaces/nets/daemonsets/meridian-gateway"]);
});
