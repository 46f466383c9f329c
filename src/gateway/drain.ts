import { isAbort } from "#life";
import { err, ok, type Result } from "#values";
import { siblingsOf } from "./siblings.ts";
import type { Gateway } from "./state.ts";

/** How long a drain waits for the broker to have passed the word on; without it peers learn from our silence. */
const TELL_MS = 5000;
/** Peers move what has been idle for 10 s to other ways; what came after that belongs to a flow that is in use. */
const QUIET_MS = 11_000;
const LOOK_MS = 250;
/** A machine that does not take the new routes is no reason to stay for ever: siblings answer, and peers leave. */
const APPLY_MS = 5000;
/** At the end: peers take up to 300 ms to believe a silence. Nothing may come for the first time, in all for the second. */
const SILENT_MS = { quiet: 1000, most: 5000 } as const;

export interface DrainRequest {
  /** How long flows that are in use may keep this gateway. */
  readonly timeoutMs: number;
}

export interface DrainContext {
  /** Aborts when nobody waits for the answer any more: then the gateway serves on. */
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/** drainGateway empties a gateway without losing a packet, so that its host can go.
 *
 *      draining: its record says so, and peers give it no new flows ──quiet, or the time is over──>
 *      leaving: its own packets go by its siblings; it answers no probe, so that peers and nodes leave it ──quiet──> done
 *
 *  It forwards what reaches it all the while. Siblings translate as it does and keep no state of what they pass on, so a
 *  flow that is moved in its midst is none the worse. */
export async function drainGateway(
  gateway: Gateway,
  { timeoutMs }: DrainRequest,
  { signal, progress }: DrainContext,
): Promise<Result<{ readonly message: string }>> {
  const { session, options, prober, reconciler, clock } = gateway;
  if (session.drain !== "no") return err("this gateway drains already");
  const heirs = heirsOf(gateway);
  if (heirs === 0) {
    const rest = "its tunnels stay and carry on what they have; start it again soon";
    return ok({ message: `${options.name} has no sibling that could take its flows over: it stops, ${rest}` });
  }
  try {
    session.drain = "draining";
    progress(await tell(gateway, signal));
    const started = clock.monotonic();
    const rested = await quiet(gateway, { quietMs: QUIET_MS, mostMs: timeoutMs }, signal);
    progress(rested ? "no flow is left here" : "the time is over: siblings take the flows that are left");
    session.drain = "leaving";
    await Promise.race([reconciler.applied(), clock.sleep(APPLY_MS, signal)]);
    prober.silence();
    await quiet(gateway, { quietMs: SILENT_MS.quiet, mostMs: SILENT_MS.most }, signal);
    const seconds = ((clock.monotonic() - started) / 1000).toFixed(0);
    return ok({ message: `${options.name} carries nothing any more, after ${seconds} s, and stops; its tunnels stay` });
  } catch (reason) {
    if (!isAbort(reason) || session.drain === "leaving") throw reason;
    session.drain = "no";
    gateway.announcer.changed();
    return err("nobody waits for it any more: this gateway takes flows again");
  }
}

/** heirsOf counts the siblings that can take flows over now. */
function heirsOf({ session, follower, options, prober }: Gateway): number {
  const neighbours = session.machine?.neighbours ?? new Map();
  const view = { catalogue: follower.catalogue, own: options.cluster, gateway: options.name, neighbours };
  return siblingsOf({ ...view, isUp: (id) => prober.isUp(id) }).filter(({ up }) => up).length;
}

/** tell has the peers told, by the broker. */
async function tell({ announcer, clock }: Gateway, signal: AbortSignal): Promise<string> {
  const late = clock.sleep(TELL_MS, signal).then(() => false);
  const told = await Promise.race([announcer.said().then(() => true), late]);
  return told
    ? "peers give this gateway no new flows from now on"
    : "the broker is away: peers keep giving this gateway flows until it falls silent";
}

/** quiet waits until no packet of a pod has gone through the tunnels for a while; false when the time was over first. */
async function quiet(
  { clock, plane }: Gateway,
  { quietMs, mostMs }: { readonly quietMs: number; readonly mostMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const start = clock.monotonic();
  let [count, since] = [-1, start];
  for (let now = start; now - since < quietMs; now = clock.monotonic()) {
    if (now - start >= mostMs) return false;
    const counters = await plane?.globalnet.counters(signal);
    // A table that is being replaced has no counters: that is no sign of rest.
    const next =
      counters?.ok === true ? counters.value["carried-in"].packets + counters.value["carried-out"].packets : -1;
    if (next !== count || next < 0) [count, since] = [next, now];
    await clock.sleep(LOOK_MS, signal);
  }
  return true;
}
