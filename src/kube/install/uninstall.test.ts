import { expect, test } from "vitest";
import { systemClock } from "#life";
import { err } from "#values";
import { fakeCluster } from "./fake-cluster.ts";
import { uninstall } from "./uninstall.ts";

const HOME = "/api/v1/namespaces/nets";
const BROKER = "/apis/apps/v1/namespaces/nets/deployments/meridian-broker";
const DATA = "/api/v1/namespaces/nets/persistentvolumeclaims/meridian-broker";
const OURS = { metadata: { name: "nets", labels: { "app.kubernetes.io/managed-by": "meridian-install" } } };
const THEIRS = { metadata: { name: "nets" } };

/** An uninstallation that ends where the membership does. */
async function uninstallFrom(known: Readonly<Record<string, object>>, withBroker: boolean) {
  const { api, asked } = fakeCluster(known);
  const ask = { namespace: "nets", image: null, withExports: false, withBroker, timeoutMs: 5_000 };
  const deps = { api, clock: systemClock, say: () => {}, leave: async () => err("as far as this goes") };
  const done = await uninstall(ask, deps, AbortSignal.timeout(5_000));
  const changed = asked.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  return { fault: done.ok ? "" : done.error, changed };
}

test.each([
  ["a broker", BROKER, "Deployment nets/meridian-broker"],
  ["a broker's data", DATA, "PersistentVolumeClaim nets/meridian-broker"],
])("uninstall() changes nothing where %s would go with the namespace", async (_what, path, name) => {
  const { fault, changed } = await uninstallFrom({ [HOME]: OURS, [path]: {} }, false);
  expect(fault).toMatch(new RegExp(`^${name} would go with the namespace, .*--force`));
  expect(changed).toEqual([]);
});

test.each([
  ["takes a broker, too, when it is told to", { [HOME]: OURS, [BROKER]: {}, [DATA]: {} }, true],
  ["begins where the broker stays, with a namespace of somebody else's", { [HOME]: THEIRS, [BROKER]: {} }, false],
  ["begins where there is no broker", { [HOME]: OURS }, false],
  ["begins where there is no namespace", {}, false],
])("uninstall() %s", async (_what, known, withBroker) => {
  const { fault, changed } = await uninstallFrom(known, withBroker);
  expect(fault).toBe("membership: as far as this goes");
  const daemons = "/apis/apps/v1/namespaces/nets/daemonsets";
  expect(changed).toEqual([`DELETE ${daemons}/meridian-gateway`, `DELETE ${daemons}/meridian-node`]);
});
