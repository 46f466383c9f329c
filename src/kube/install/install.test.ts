import { expect, test } from "vitest";
import { systemClock } from "#life";
import { err, ok } from "#values";
import { fakeCluster } from "./fake-cluster.ts";
import { installIdentity } from "./install.ts";

const DAEMONS = "/apis/apps/v1/daemonsets";
const HOME = "/api/v1/namespaces/nets";
const NONE = { items: [] };

async function identityIn(known: Readonly<Record<string, object>>) {
  const { api, asked } = fakeCluster(known);
  const said: string[] = [];
  const identify = async () => ok("birch has joined");
  const deps = { api, clock: systemClock, say: (line: string) => void said.push(line), identify };
  const done = await installIdentity({ namespace: "nets" }, deps, AbortSignal.timeout(5_000));
  return { done, said, changed: asked.filter(({ method }) => method !== "GET") };
}

test("installIdentity() makes the namespace where there is none, as ours, and applies nothing else", async () => {
  const { done, said, changed } = await identityIn({ [DAEMONS]: NONE });
  expect(done).toEqual(ok(undefined));
  expect(said).toEqual(["namespace nets: applied", "identity: birch has joined"]);
  const labels = { "app.kubernetes.io/managed-by": "meridian-install" };
  expect(changed).toMatchObject([{ method: "PATCH", path: HOME, body: { metadata: { name: "nets", labels } } }]);
});

test("installIdentity() changes nothing of a namespace that is there", async () => {
  const { done, said, changed } = await identityIn({ [DAEMONS]: NONE, [HOME]: {} });
  expect(done).toEqual(ok(undefined));
  expect(said).toEqual(["namespace nets: there already", "identity: birch has joined"]);
  expect(changed).toEqual([]);
});

test("installIdentity() is for the one installation that a cluster has", async () => {
  const gateways = { metadata: { name: "meridian-gateway", namespace: "meridian" } };
  const { done, changed } = await identityIn({ [DAEMONS]: { items: [gateways] } });
  expect(done).toEqual(err("it is installed in the namespace meridian: give --namespace meridian"));
  expect(changed).toEqual([]);
});
