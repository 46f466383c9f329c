import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Log } from "#life";
import type { Result } from "#values";
import { readUrl } from "./ask-url.ts";
import { HostGuard } from "./host-guard.ts";
import { createHttpRoom, type HttpRoom } from "./http-room.ts";
import { readJson, refuseBody } from "./json-body.ts";
import type { Place } from "./listen.ts";
import { type ProblemCode, Refused } from "./problem.ts";
import { streamResult } from "./result-stream.ts";
import { sendText } from "./send.ts";
import { vitalSign } from "./vital-signs.ts";

/** RouteFault is why a route could not answer; codes that are also codes of problems keep their status. */
export interface RouteFault {
  readonly code: string;
  readonly message: string;
}

/** RouteAsk is one question, as far as it does not depend on the route. */
export interface RouteAsk {
  readonly query: Readonly<Record<string, string>>;
  /** The JSON body of a POST; null without one. */
  readonly body: unknown;
  /** Aborts when the server stops or the asker goes away. */
  readonly signal: AbortSignal;
  /** Tells whoever waits for a POST how far it is. */
  readonly progress: (line: unknown) => void;
}

/** Route is one question that a daemon answers. On a TCP listener only GET routes are mounted: nothing there may
 *  change anything without a credential. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly handle: (ask: RouteAsk) => Promise<Result<unknown, RouteFault>>;
}

/** StatusHttpOptions is one listener; a daemon may have several with the same routes. */
export interface StatusHttpOptions {
  /** An address for people and Prometheus, or the path of a socket of mode 0600 for the verbs. */
  readonly listen: Place;
  readonly routes: readonly Route[];
  /** Null once the daemon serves; else why it does not yet. */
  readonly ready: () => string | null;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** createStatusHttp serves /metrics, /healthz, /readyz and a daemon's own routes. A GET answers JSON; a POST answers
 *  lines: `{"progress":…}` for each that it tells, then `{"result":…}` or `{"error":{"code","message"}}`. */
export function createStatusHttp(options: StatusHttpOptions): HttpRoom {
  const { listen, clock, log } = options;
  const routes = "path" in listen ? options.routes : options.routes.filter(({ method }) => method === "GET");
  const hosts = "path" in listen ? [] : [listen.host];
  return createHttpRoom({
    name: "path" in listen ? "admin-socket" : "http",
    listen,
    tls: null,
    guard: new HostGuard(hosts, "http"),
    clock,
    log,
    respond: (request, response, signal) => respond({ ...options, routes }, request, response, signal),
  });
}

/** respond answers one request: vital signs first, then whichever route the listener has. */
async function respond(
  options: StatusHttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { path, query } = readUrl(request.url ?? "");
  if (await vitalSign(path, options, request, response)) return;
  const route = find(options.routes, request.method ?? "", path);
  const body = route.method === "POST" ? ((await readJson(request)) ?? null) : null;
  if (route.method === "GET") refuseBody(request);
  const ask = { query, body, signal, progress: () => {} };
  if (route.method === "POST") return streamResult(response, (progress) => route.handle({ ...ask, progress }));
  const result = await route.handle(ask);
  if (!result.ok) throw new Refused(problemCode(result.error.code), result.error.message);
  sendText(response, 200, "application/json", JSON.stringify(result.value ?? null));
}

/** find gives the route of a method and a path. Throws Refused: 404, or 405 with what the path takes. */
function find(routes: readonly Route[], method: string, path: string): Route {
  const here = routes.filter((route) => route.path === path);
  if (here.length === 0) throw new Refused("not-found", "there is no such path");
  const route = here.find((candidate) => candidate.method === (method === "HEAD" ? "GET" : method));
  if (route !== undefined) return route;
  const allow = here.flatMap((candidate) => (candidate.method === "GET" ? ["GET", "HEAD"] : [candidate.method]));
  throw new Refused("method-not-allowed", `this path takes ${allow.join(", ")}`, { allow: allow.join(", ") });
}

/** Routes speak of what they know; what is not in this list is a failure of the daemon. */
const CODES: Readonly<Record<string, ProblemCode>> = {
  unknown: "not-found",
  "not-found": "not-found",
  invalid: "invalid",
  conflict: "conflict",
  exhausted: "exhausted",
  unavailable: "unavailable",
  "not-ready": "not-ready",
};

/** hasOwn, since a route's code may be any text, `constructor` too. */
function problemCode(code: string): ProblemCode {
  return Object.hasOwn(CODES, code) ? (CODES[code] ?? "internal") : "internal";
}
