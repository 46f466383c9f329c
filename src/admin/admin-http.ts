import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Log, Secret } from "#life";
import { createBrokerMetrics } from "#metrics";
import type { HostPort } from "#values";
import { readUrl } from "./ask-url.ts";
import { type Authorize, authorizeByToken } from "./authorize.ts";
import { brokerReadings, type ProcessReadings } from "./broker-readings.ts";
import { checkBody, checkQuery, find } from "./check-request.ts";
import type { Desk } from "./desk.ts";
import { certificateHosts, HostGuard } from "./host-guard.ts";
import { createHttpRoom, type HttpRoom } from "./http-room.ts";
import { once } from "./idempotency.ts";
import { readJson, refuseBody } from "./json-body.ts";
import type { Office, Operation, OperationAsk } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { type ProblemCode, Refused } from "./problem.ts";
import { RefusalLog } from "./refusal-log.ts";
import { sendText } from "./send.ts";
import { sendEvents } from "./send-events.ts";
import { vitalSign } from "./vital-signs.ts";

export interface AdminHttpOptions {
  /** On a loopback address it is plain HTTP, else HTTPS. */
  readonly listen: HostPort;
  readonly desk: Desk;
  readonly token: Secret;
  /** PEM: the key and the chain of the broker's own certificate. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Prometheus text; without it, what the desk shows. */
  readonly readings?: ProcessReadings;
  readonly metrics?: () => Promise<string>;
  /** Null once the broker serves; without it, it always does. */
  readonly ready?: () => string | null;
}

/** What all requests share; nothing in it belongs to one of them. */
interface Parts {
  readonly office: Office;
  readonly authorize: Authorize;
  readonly refusals: RefusalLog;
  readonly metrics: () => Promise<string>;
  readonly ready: () => string | null;
  readonly watchers: { count: number };
}

/** Watches that may be open at a time: each has an inbox, and every change is written to each. */
const MAX_WATCHERS = 64;
/** Refusals of those whom nothing is known of. */
const STRANGE: readonly ProblemCode[] = ["unauthorized", "forbidden", "foreign-host", "foreign-origin"];

/** createAdminHttp serves the broker's admin API, its metrics and its health. */
export function createAdminHttp(options: AdminHttpOptions): HttpRoom {
  const { listen, desk, token, tls, version, clock, log } = options;
  const plain = listen.host === "::1" || listen.host.startsWith("127.");
  const refusals = new RefusalLog(desk, clock);
  const parts: Parts = {
    office: { desk, clock, version },
    authorize: authorizeByToken(token),
    refusals,
    metrics: options.metrics ?? createBrokerMetrics(brokerReadings(desk, version, clock, options.readings)),
    ready: options.ready ?? (() => null),
    watchers: { count: 0 },
  };
  return createHttpRoom({
    name: "admin-http",
    listen,
    tls: plain ? null : tls,
    guard: new HostGuard([listen.host, ...certificateHosts(tls.cert)], plain ? "http" : "https"),
    clock,
    log,
    respond: (request, response, signal) => respond(parts, request, response, signal),
    refused: (refused, request) => {
      if (STRANGE.includes(refused.problem.code)) refusals.stranger(request, refused);
    },
  });
}

/** respond answers one request in this order, each step refusing by itself: vital signs, credential, operation, role,
 *  parameters, body, operation's own work. Nothing of a stranger's request is looked at beyond its path. */
async function respond(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { path, query } = readUrl(request.url ?? "");
  if (await vitalSign(path, parts, request, response)) return;
  parts.authorize(request, "viewer"); // before anything is told of what there is
  showRevision(response, parts.office.desk.revision());
  const { operation, params } = find(OPERATIONS, request.method ?? "", path);
  const { actor } = parts.authorize(request, operation.role);
  try {
    const ask = {
      params: checkQuery(operation.params, params),
      query: checkQuery(operation.query, query),
      body: await bodyOf(operation, request),
      by: actor,
      signal,
      lastEventId: request.headers["last-event-id"]?.toString() ?? null,
    };
    await answer(parts, operation, ask as OperationAsk<never, never, never>, request, response);
  } catch (error) {
    if (error instanceof Refused && operation.handler.kind === "change") parts.refusals.operator(request, error, actor);
    throw error;
  }
}

/** An absent body of an operation that takes one goes to its schema, which says what is missing. */
async function bodyOf({ body }: Operation, request: IncomingMessage): Promise<unknown> {
  if (body !== null) return checkBody(body, await readJson(request));
  refuseBody(request);
  return null;
}

/** answer runs an operation by its kind. Reads say the revision at which they began: what a list shows is at least that
 *  new. Changes say the one that they made, or, when repeated, the one that they made then. */
async function answer(
  parts: Parts,
  { handler, status }: Operation,
  ask: OperationAsk<never, never, never>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { office } = parts;
  showRevision(response, office.desk.revision());
  if (handler.kind === "events") {
    if (request.method === "HEAD") return sendText(response, status, "text/event-stream", "");
    return watching(parts, () => sendEvents(response, handler.run(office, ask), { ...office, signal: ask.signal }));
  }
  if (handler.kind === "read") {
    const { body } = await handler.run(office, ask);
    await office.desk.settled();
    return sendText(response, status, "application/json", JSON.stringify(body));
  }
  const reply = once(office.desk, { request, actor: ask.by, body: ask.body }, () => {
    const { body, repeat = body } = handler.run(office, ask);
    return { reply: { status, text: JSON.stringify(body) }, keep: JSON.stringify(repeat) };
  });
  const type = reply.status < 400 ? "application/json" : "application/problem+json";
  const { revision = office.desk.revision() } = JSON.parse(reply.text) as { readonly revision?: number };
  showRevision(response, revision);
  await office.desk.settled();
  sendText(response, reply.status, type, reply.text);
}

/** Every answer says which revision it shows, also those that refuse. */
function showRevision(response: ServerResponse, revision: number): void {
  response.setHeader("meridian-revision", revision);
}

/** watching counts the watches that are open, and refuses one too many before it begins. */
async function watching({ watchers }: Parts, watch: () => Promise<void>): Promise<void> {
  if (watchers.count >= MAX_WATCHERS) throw new Refused("unavailable", `at most ${MAX_WATCHERS} watch at a time`);
  watchers.count += 1;
  try {
    await watch();
  } finally {
    watchers.count -= 1;
  }
}
