import { isDeepStrictEqual } from "node:util";
import { isAbort, type Room } from "#life";
import { err, formatHostPort, ok, type Result } from "#values";
import type { ServerPlan } from "./options.ts";
import { createServer, type Server, type ServerDeps } from "./server.ts";

/** What a crew does while a server joins: fill its zone, and wait until it answers. */
type Welcome = (server: Server) => Promise<void>;

interface Member {
  readonly server: Server;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Crew is the servers of a nameserver. Their plans may change while it runs; who is not concerned is not disturbed. */
export class Crew implements Room {
  readonly name = "servers";
  readonly #deps: ServerDeps;
  readonly #failed = Promise.withResolvers<never>();
  #members: readonly Member[] = [];
  #first: readonly Server[];

  constructor(plans: readonly ServerPlan[], deps: ServerDeps) {
    this.#deps = deps;
    this.#first = plans.map((plan) => createServer(plan, deps));
    this.#failed.promise.catch(() => {});
  }

  get servers(): readonly Server[] {
    return this.#members.length === 0 ? this.#first : this.#members.map(({ server }) => server);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#members = this.#first.map((server) => this.#start(server));
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    try {
      if (!signal.aborted) await Promise.race([aborted, this.#failed.promise]);
    } finally {
      await Promise.all(this.#members.map(stopMember));
    }
  }

  /** change puts other plans in force. A server whose plan stays is kept, log rules and all that concerns only this
   *  thread are changed in place. The others are started beside the old ones, on the same sockets, and take over when
   *  their zone is complete: no query falls between. An error leaves everything as it was. */
  async change(plans: readonly ServerPlan[], welcome: Welcome): Promise<Result<void>> {
    const left = new Set(this.#members);
    const kept: Member[] = [];
    const fresh: Member[] = [];
    for (const plan of plans) {
      const same = [...left].find(({ server }) => isSameServer(server.plan, plan));
      if (same === undefined) fresh.push(this.#start(createServer(plan, this.#deps, this.#holders(plan))));
      else {
        left.delete(same);
        kept.push({ ...same, server: { ...same.server, plan } });
      }
    }
    for (const { server } of fresh) {
      const started = await server.responder.started;
      if (started.ok) await welcome(server);
      else {
        await Promise.all(fresh.map(stopMember));
        return err(started.error);
      }
    }
    this.#members = [...kept, ...fresh];
    await Promise.all([...left].map(stopMember));
    return ok(undefined);
  }

  /** Who has sockets at a plan's addresses now. */
  #holders({ listen }: ServerPlan): readonly Server[] {
    const wanted = new Set(listen.map(formatHostPort));
    return this.servers.filter(({ plan }) => plan.listen.some((at) => wanted.has(formatHostPort(at))));
  }

  #start(server: Server): Member {
    const stop = new AbortController();
    const ended = server.responder.run(stop.signal).catch((reason: unknown) => {
      if (stop.signal.aborted && isAbort(reason)) return;
      // A server that joins and cannot is its caller's matter; one that was in force ends the crew.
      if (this.#members.some((member) => member.server.responder === server.responder)) this.#failed.reject(reason);
    });
    return { server, stop, ended };
  }
}

async function stopMember({ stop, ended }: Member): Promise<void> {
  stop.abort();
  await ended;
}

/** What a server's threads do not see may change in place, as long as they write what is read. */
function isSameServer(a: ServerPlan, b: ServerPlan): boolean {
  const seen = ({
    log,
    errors,
    labels: _labels,
    plugins: _plugins,
    anyAddress: _any,
    startupMs: _startup,
    ...rest
  }: ServerPlan) => ({
    ...rest,
    logs: log.length > 0 || errors !== null,
  });
  return isDeepStrictEqual(seen(a), seen(b));
}
