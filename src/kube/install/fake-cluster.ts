import { err, ok } from "#values";
import type { ApiServer } from "../api/api-server.ts";

type Api = Pick<ApiServer, "request">;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** fakeCluster is an API server that has something at some paths, takes every write, and notes what was asked. */
export function fakeCluster(known: Readonly<Record<string, object>>): { readonly api: Api; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const request: Api["request"] = async ({ method = "GET", path, body }) => {
    asked.push({ method, path, body });
    if (method !== "GET") return ok(body);
    const found = known[path];
    return found === undefined ? err({ code: 404, reason: "NotFound", message: path, retryAfterMs: null }) : ok(found);
  };
  return { api: { request }, asked };
}
