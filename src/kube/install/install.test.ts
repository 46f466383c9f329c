import { expect, test } from "vitest";
import { systemClock } from "#life";
import { err, ok } from "#values";
import { type InstallDeps, installIdentity } from "./install.ts";

type Api = InstallDeps["api"];

/** An API server that knows some paths, takes every write, and notes what was asked. */
function apiWith(known: readonly string[]): { readonly api: Api; readonly asked: string[] } {
  const asked: string[] = [];
  const request: Api["request"] = async ({ method = "GET", path, body }) => {
    asked.push(`${method} ${path}`);
    if (method !== "GET") return ok(body);
    return known.includes(path) ? ok({}) : err({ code: 404, reason: "NotFound", message: path, retryAfterMs: null });
  };
  return { api: { request }, asked };
}

async function identityIn(known: readonly string[]) {
  const { api, asked } = apiWith(known);
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
