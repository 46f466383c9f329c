import { err, ok } from "#values";
import type { ApiServer } from "../api/api-server.ts";

type Api = Pick<ApiServer, "request">;

/** fakeApi is an API server that knows some paths, takes every write, and notes what was asked. */
export function fakeApi(known: readonly string[]): { readonly api: Api; readonly asked: string[] } {
  const asked: string[] = [];
  const request: Api["request"] = async ({ method = "GET", path, body }) => {
    asked.push(`${method} ${path}`);
    if (method !== "GET") return ok(body);
    return known.includes(path) ? ok({}) : err({ code: 404, reason: "NotFound", message: path, retryAfterMs: null });
  };
  return { api: { request }, asked };
}
