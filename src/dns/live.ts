import { silentLog, systemClock, Troubles } from "#life";
import type { HostPort } from "#values";
import { ip } from "./example-services.ts";
import { createResponder, type ResponderOptions } from "./responder.ts";
import type { Responder } from "./responder-stats.ts";
import { ZONE } from "./testbed.ts";

/** For the tests of this room: a responder that runs. */
export interface Live extends AsyncDisposable {
  readonly responder: Responder;
  readonly troubles: Troubles;
  /** The first address. */
  readonly at: HostPort;
  readonly stop: () => Promise<void>;
}

/** live starts a responder on a free port of loopback, unless told otherwise, and stops it when disposed of. */
export async function live(options: Partial<ResponderOptions> = {}): Promise<Live> {
  const troubles = new Troubles();
  const end = new AbortController();
  const responder = createResponder({
    listen: [{ host: ip("127.0.0.1"), port: 0 }],
    zone: { ...ZONE, serverAddresses: [ip("127.0.0.1")] },
    log: silentLog,
    clock: systemClock,
    troubles,
    ...options,
  });
  const run = responder.run(end.signal);
  const started = await responder.started;
  if (!started.ok) {
    await run.catch(() => {});
    throw new Error(started.error);
  }
  const stop = async (): Promise<void> => {
    end.abort();
    await run;
  };
  const [at = { host: ip("127.0.0.1"), port: 0 }] = started.value;
  return { responder, troubles, at, stop, [Symbol.asyncDispose]: stop };
}
