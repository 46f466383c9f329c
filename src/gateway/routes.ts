import { z } from "zod";
import type { Route } from "#admin";
import { createGatewayMetrics } from "#metrics";
import { err, ok, parseIp, type Result } from "#values";
import type { Catalogue } from "#wire";
import { benchPeers } from "./bench.ts";
import type { GatewayDaemon } from "./daemon.ts";
import { diagnose } from "./diagnose.ts";
import { type DrainContext, drainGateway } from "./drain.ts";
import { explain } from "./explain.ts";
import { readingsOf } from "./readings.ts";
import { statusOf } from "./status.ts";
import { allocationsOf, whois } from "./whois.ts";

const benchBody = z.strictObject({
  peers: z.array(z.string().max(63)).max(1000),
  durationMs: z.number().min(100).max(30_000),
  throughput: z.boolean(),
});
const drainBody = z.strictObject({ timeoutMs: z.number().min(0).max(3_600_000) });
const leaveBody = z.strictObject({ gateway: z.boolean(), force: z.boolean() });

type Answer = Promise<Result<unknown, { readonly code: string; readonly message: string }>>;

/** gatewayRoutes are the verbs that talk to a running gateway. `stop` ends the daemon after it has left. */
export function gatewayRoutes(
  daemon: GatewayDaemon,
  stop: () => void,
): { readonly routes: readonly Route[]; readonly metrics: () => Promise<string> } {
  const { gateway } = daemon;
  const { catalogue } = gateway.follower;
  const routes: readonly Route[] = [
    { method: "GET", path: "/v1/status", handle: async () => ok(await statusOf(gateway)) },
    {
      method: "GET",
      path: "/v1/explain",
      handle: async ({ query }) => ok(explain(gateway, (query["q"] ?? "").slice(0, 300))),
    },
    { method: "GET", path: "/v1/diagnose", handle: async () => ok(await diagnose(gateway)) },
    { method: "GET", path: "/v1/ipam", handle: async () => ok(allocationsOf(catalogue)) },
    { method: "GET", path: "/v1/whois", handle: async ({ query }) => owner(catalogue, query["address"] ?? "") },
    { method: "POST", path: "/v1/bench", handle: async ({ body, signal, progress }) => bench(body, signal, progress) },
    { method: "POST", path: "/v1/drain", handle: async ({ body, ...context }) => drain(body, context) },
    { method: "POST", path: "/v1/leave", handle: async ({ body }) => leave(body) },
  ];
  async function bench(body: unknown, signal: AbortSignal, progress: (line: unknown) => void): Answer {
    const ask = benchBody.safeParse(body);
    if (!ask.success) return err({ code: "invalid", message: z.prettifyError(ask.error) });
    progress(`measuring for ${(ask.data.durationMs / 1000).toFixed(1)} s …`);
    const done = await benchPeers(gateway, ask.data, signal);
    return done.ok ? done : err({ code: "failed", message: done.error });
  }
  async function drain(body: unknown, context: DrainContext): Answer {
    const done = await drainAsked(gateway, body, context);
    if (done.ok) stop(); // the tunnels stay, as after every stop
    return done;
  }
  async function leave(body: unknown): Answer {
    const ask = leaveBody.safeParse(body);
    if (!ask.success) return err({ code: "invalid", message: z.prettifyError(ask.error) });
    const done = await daemon.leave(ask.data);
    if (!done.ok) return err({ code: "failed", message: done.error });
    stop(); // the answer still goes out: the socket ends after it
    return done;
  }
  return { routes, metrics: createGatewayMetrics(readingsOf(gateway)) };
}

async function owner(catalogue: Catalogue, text: string): Answer {
  const address = parseIp(text);
  if (!address.ok) return err({ code: "invalid", message: address.error });
  const found = whois(catalogue, address.value);
  return found === undefined
    ? err({ code: "unknown", message: `${address.value} belongs to nobody in the clusterset` })
    : ok(found);
}

async function drainAsked(gateway: GatewayDaemon["gateway"], body: unknown, context: DrainContext): Answer {
  const ask = drainBody.safeParse(body);
  if (!ask.success) return err({ code: "invalid", message: z.prettifyError(ask.error) });
  const done = await drainGateway(gateway, ask.data, context);
  return done.ok ? done : err({ code: "failed", message: done.error });
}
