import type { IncomingMessage, ServerResponse } from "node:http";
import { refuseBody } from "./json-body.ts";
import { problemOf, Refused, sendProblem } from "./problem.ts";
import { sendText } from "./send.ts";

/** VitalSigns is what is asked of every daemon. */
export interface VitalSigns {
  readonly ready: () => string | null;
  readonly metrics: () => Promise<string>;
}

const PATHS: readonly string[] = ["/healthz", "/readyz", "/metrics"];
/** Prometheus text exposition format. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** vitalSign answers /healthz, /readyz and /metrics, and reports whether the path was one of them. They need no
 *  credential: whoever restarts or scrapes the daemon has none, and they say nothing that is secret. */
export async function vitalSign(
  path: string,
  { ready, metrics }: VitalSigns,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (!PATHS.includes(path)) return false;
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Refused("method-not-allowed", "this path takes GET, HEAD", { allow: "GET, HEAD" });
  }
  refuseBody(request);
  const notReady = path === "/readyz" ? ready() : null;
  if (notReady !== null) sendProblem(response, problemOf("not-ready", notReady));
  else if (path === "/metrics") sendText(response, 200, METRICS_TYPE, await metrics());
  else sendText(response, 200, "text/plain; charset=utf-8", "ok\n");
  return true;
}
