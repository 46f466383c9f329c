import { join } from "node:path";
import { createStatusHttp, type Route } from "#admin";
import { aborted, isAbort, type Log, type Room, runAll } from "#life";
import { lockDataDir } from "#store";
import type { HostPort, Result } from "#values";
import { reasonOf } from "./reason-of.ts";
import { type Call, type ExitCode, fail } from "./verb.ts";

/** Served is a daemon that runs on a node, and how it is asked. */
export interface Served {
  readonly daemon: Room & {
    /** Null once it serves; else why it does not yet. */
    notReady(): string | null;
  };
  readonly routes: readonly Route[];
  readonly metrics: () => Promise<string>;
}

/** Where a daemon is called from, and where it speaks. */
interface Voice {
  readonly call: Call;
  readonly log: Log;
}

/** serveDaemon runs a daemon until a signal, alone in its data folder, and opens its doors: to the verbs in that folder, to
 *  people and Prometheus where --http says. `open` makes it; `stop` ends it as a signal does. */
export async function serveDaemon(
  { dataDir, http }: { readonly dataDir: string; readonly http: HostPort | null },
  { call, log }: Voice,
  open: (life: { readonly signal: AbortSignal; readonly stop: () => void }) => Promise<Result<Served>>,
): Promise<ExitCode> {
  const { around, signal } = call;
  const lock = lockDataDir(dataDir);
  if (!lock.ok) return fail(around, lock.error);
  using _held = lock.value;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const opened = await open({ signal: both, stop: () => stop.abort() });
    if (!opened.ok) return signal.aborted ? 0 : fail(around, opened.error);
    await runAll(roomsOf(opened.value, { dataDir, http }, { call, log }), both);
    return 0;
  } catch (error) {
    if (signal.aborted && isAbort(error)) return 0; // stopped before it had begun
    return fail(around, place(reasonOf(error)));
  }
}

/** How often readiness is looked at, in milliseconds. */
const POLL_MS = 20;

/** The responder does not know by which flag it came to its addresses. */
function place(reason: string): string {
  return reason.startsWith("cannot listen on ") ? `--dns: ${reason}` : reason;
}

function roomsOf(
  { daemon, routes, metrics }: Served,
  { dataDir, http }: { readonly dataDir: string; readonly http: HostPort | null },
  voice: Voice,
): readonly Room[] {
  const { clock } = voice.call.around;
  const common = { routes, ready: () => daemon.notReady(), metrics, clock, log: voice.log };
  const socket = createStatusHttp({ ...common, listen: { path: join(dataDir, "admin.sock") } });
  const doors = [socket, ...(http === null ? [] : [createStatusHttp({ ...common, listen: http })])];
  const open = Promise.all(doors.map(({ started }) => started)).then(() => undefined);
  return [daemon, ...doors, announceReady(daemon, open, voice)];
}

/** announceReady tells the log and the service manager, once: when the daemon serves and its doors are open, since
 *  whoever reads `ready` may call a verb at once. */
function announceReady(daemon: Served["daemon"], open: Promise<void>, { call: { around }, log }: Voice): Room {
  return {
    name: "ready",
    async run(signal) {
      await Promise.race([open, aborted(signal)]);
      while (!signal.aborted && daemon.notReady() !== null) await around.clock.sleep(POLL_MS, signal).catch(() => {});
      if (signal.aborted) return;
      log.info("ready");
      around.notify("READY=1");
      await aborted(signal);
    },
  };
}
