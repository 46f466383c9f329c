import { expect, test } from "vitest";
import { systemClock } from "#life";
import { ok } from "#values";
import { fakeApi } from "./fake-api.ts";
import { installIdentity } from "./install.ts";

async function identityIn(known: readonly string[]) {
  const { api, asked } = fakeApi(known);
  const said: string[] = [];
  const identify = async () => ok("birch has joined");
  const deps = { api, clock: systemClock, say: (line: string) => void said.push(line), identify };
  const done = await installIdentity({ namespace: "nets" }, deps, AbortSignal.timeout(5_000));
  expect(done).toEqual(ok(undefined));
  return { asked, said };
}

test("installIdentity() makes the namespace where there is none, and applies nothing else", async () => {
  const { asked, said } = await identityIn([]);
  expect(asked).toEqual(["GET /api/v1/namespaces/nets", "PATCH /api/v1/namespaces/nets"]);
  expect(said).toEqual(["namespace nets: made", "identity: birch has joined"]);
});

test("installIdentity() changes nothing of a namespace that is there", async () => {
  const { asked, said } = await identityIn(["/api/v1/namespaces/nets"]);
  expect(asked).toEqual(["GET /api/v1/namespaces/nets"]);
  expect(said).toEqual(["namespace nets: there already", "identity: birch has joined"]);
});
