import { type Clock, isAbort, type Log, type Room } from "#life";
import type { Nameserver } from "#nameserver";
import { type ReadPlan, readPlan } from "./corefile-reader.ts";

export interface FollowOptions {
  readonly file: string;
  readonly first: ReadPlan;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nameserver: Nameserver;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Hears of the signals that ask for it. */
  readonly onReload: (listener: () => void) => void;
}

/** followCorefile puts a changed Corefile in force: looked at as its `reload` says, and at once when a signal asks. A
 *  faulty one changes nothing and is told once per content. */
export function followCorefile({ file, first, env, nameserver, clock, random, log, onReload }: FollowOptions): Room {
  let current = first;
  let refused = "";
  const look = async (): Promise<void> => {
    const next = readPlan(file, env);
    const fault = next.ok ? await change(next.value) : next.error.join("; ");
    if (fault === refused) return;
    refused = fault;
    if (fault === "") return;
    nameserver.failed();
    log.error("the Corefile is not taken; the one before stays in force", { reason: fault });
  };
  const change = async (next: ReadPlan): Promise<string> => {
    if (next.plan.hash === current.plan.hash) return "";
    const done = await nameserver.change(next.plan);
    if (!done.ok) return done.error;
    current = next;
    log.info("the Corefile is in force", { file, sha512: next.plan.hash });
    return "";
  };
  return {
    name: "corefile",
    async run(signal) {
      let wake = new AbortController();
      onReload(() => wake.abort());
      while (!signal.aborted) {
        const { intervalMs, jitterMs } = current.reload ?? { intervalMs: 2 ** 31 - 1, jitterMs: 0 };
        const either = AbortSignal.any([signal, wake.signal]);
        await clock.sleep(intervalMs - jitterMs * random(), either).catch((reason: unknown) => {
          if (!isAbort(reason)) throw reason;
        });
        wake = new AbortController();
        if (!signal.aborted) await look();
      }
    },
  };
}
