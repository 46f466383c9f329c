import { createProbeHttp, type ProbeAnswer } from "#admin";
import { type Clock, isAbort, type Log, type Room } from "#life";
import { createCorednsMetrics } from "#metrics";
import type { HostPort } from "#values";
import type { DoorPlan } from "./options.ts";
import { SelfCheck } from "./self-check.ts";
import type { Server } from "./server.ts";
import { pluginsOf, trafficOf } from "./traffic.ts";

export interface DoorOptions {
  readonly plan: DoorPlan;
  readonly http: HostPort | null;
  readonly version: string;
  readonly servers: () => readonly Server[];
  /** Null once every name is answered; else why not yet. */
  readonly notReady: () => string | null;
  /** Whether the end has begun. */
  readonly ending: () => boolean;
  readonly reload: () => { readonly failed: number; readonly hash: string } | null;
  readonly clock: Clock;
  readonly log: Log;
}

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** createDoors opens what probes and scrapers ask: CoreDNS's own where its Corefile says, and ours where --http does.
 *  Doors at one address are one listener. */
export function createDoors(options: DoorOptions): readonly Room[] {
  const { plan, http, clock, log } = options;
  const check = plan.health === null ? null : new SelfCheck(plan.health, clock, log);
  const paths = pathsOf(options, check);
  const wanted: readonly (readonly [HostPort | null, readonly string[]])[] = [
    [plan.health, ["/health"]],
    [plan.ready, ["/ready"]],
    [plan.prometheus, ["/metrics"]],
    [http, ["/metrics", "/healthz", "/readyz"]],
  ];
  const places = Map.groupBy(
    wanted.flatMap(([at, names]) => (at === null ? [] : names.map((name) => ({ at, name })))),
    ({ at }) => JSON.stringify(at),
  );
  const rooms = [...places.values()].flatMap((here): Room[] => {
    const [first] = here;
    if (first === undefined) return [];
    const mounted = Object.fromEntries(here.map(({ name }) => [name, paths[name] ?? missing]));
    return [createProbeHttp({ name: `http-${first.name.slice(1)}`, listen: first.at, paths: mounted, clock, log })];
  });
  return check === null ? rooms : [...rooms, check];
}

function missing(): ProbeAnswer {
  return { status: 404, body: "" };
}

type Paths = Readonly<Record<string, () => ProbeAnswer | Promise<ProbeAnswer>>>;

function pathsOf({ plan, version, servers, notReady, ending, reload }: DoorOptions, check: SelfCheck | null): Paths {
  const metrics = createCorednsMetrics({
    version,
    runtime: process.version,
    panics: () => servers().reduce((sum, { responder }) => sum + responder.stats().faults, 0),
    plugins: () => servers().flatMap(pluginsOf),
    traffic: () => servers().flatMap(trafficOf),
    health: () => check?.reading() ?? null,
    reload,
  });
  let was = false;
  const ready = (): ProbeAnswer => {
    const why = was && !plan.continuously ? null : notReady();
    was ||= why === null;
    if (ending()) return { status: 503, body: "Shutting down" };
    return why === null ? { status: 200, body: "OK" } : { status: 503, body: "kubernetes" };
  };
  const readyz = (): ProbeAnswer => {
    const why = ending() ? "shutting down" : notReady();
    return why === null ? { status: 200, body: "ok\n" } : { status: 503, body: `${why}\n` };
  };
  return {
    "/health": () => ({ status: 200, body: "OK" }),
    "/ready": ready,
    "/metrics": async () => ({ status: 200, body: await metrics(), type: METRICS_TYPE }),
    "/healthz": () => ({ status: 200, body: "ok\n" }),
    "/readyz": readyz,
  };
}

/** pause sleeps, and ends quietly when it is time to stop. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch((reason: unknown) => {
    if (!isAbort(reason)) throw reason;
  });
}
