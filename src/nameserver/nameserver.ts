import { createManifestSource, type ManifestSource } from "#kube";
import { aborted, type Clock, isAbort, type Log, type Room, runAll, type Trouble, Troubles } from "#life";
import type { Result } from "#values";
import { Crew } from "./crew.ts";
import { ImportFeed } from "./import-feed.ts";
import type { NameserverOptions, NameserverPlan } from "./options.ts";
import type { Server } from "./server.ts";

export interface NameserverDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Takes the lines of the query log. */
  readonly out: (text: string) => void;
}

/** Nameserver is the responder alone, over ServiceImports and EndpointSlices of any MCS implementation. */
export interface Nameserver extends Room {
  /** Null once every name is answered; else why not yet. */
  notReady(): string | null;
  /** Resolves when the first zone is complete and every listener answers from it. */
  readonly serving: Promise<void>;
  readonly troubles: Troubles;
  /** change puts another plan in force without losing a query; an error leaves all as it was. */
  change(plan: NameserverPlan): Promise<Result<void>>;
  /** failed counts a Corefile that could not be taken. */
  failed(): void;
}

/** createNameserver makes all parts; nothing runs yet.
 *
 *    folder ──> ManifestSource ──changes──> ImportFeed ──> Crew: a Responder per group of addresses
 *                                                             └──> doors, query log
 *
 *  Listeners are open from the start and silent until the folder was read: what arrives meanwhile waits in the kernel
 *  and is answered then, since a name that is only not yet read must not be denied. */
export function createNameserver(options: NameserverOptions, deps: NameserverDeps): Nameserver {
  return new ImportsNameserver(options, deps);
}

class ImportsNameserver implements Nameserver {
  readonly name = "nameserver";
  readonly troubles: Troubles;
  readonly serving: Promise<void>;
  readonly #options: NameserverOptions;
  readonly #deps: NameserverDeps;
  readonly #source: ManifestSource;
  readonly #crew: Crew;
  readonly #feed = new ImportFeed();
  #plan: NameserverPlan;
  #complete = false;
  #ending = false;
  #failures = 0;

  constructor(options: NameserverOptions, deps: NameserverDeps) {
    const { clock, log, random } = deps;
    this.troubles = new Troubles((trouble, present) => tell(log, trouble, present));
    this.#options = options;
    this.#plan = options;
    this.#deps = deps;
    this.#source = createSource(options, { clock, log, troubles: this.troubles, random });
    this.#crew = new Crew(options.servers, { clock, log, random, troubles: this.troubles });
    this.#source.onChange((change) => {
      const changes = this.#feed.changes(change);
      for (const server of this.#crew.servers) server.update(changes);
    });
    this.serving = this.#served();
  }

  notReady(): string | null {
    return this.#complete ? null : "the imports have not been read yet";
  }

  failed(): void {
    this.#failures += 1;
  }

  /** A lame duck answers as before and says that it is not ready, so that whoever asks goes elsewhere in time. */
  async run(signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const lame = async (): Promise<void> => {
      await aborted(signal);
      this.#ending = true;
      const { lameduckMs } = this.#plan.doors;
      if (lameduckMs > 0) await this.#deps.clock.sleep(lameduckMs, end.signal).catch(() => {});
      end.abort();
    };
    const dying = lame();
    try {
      await runAll([this.#source, this.#crew, this.#late()], end.signal);
    } finally {
      end.abort();
      if (signal.aborted) await dying;
    }
  }

  async change(plan: NameserverPlan): Promise<Result<void>> {
    const changed = await this.#crew.change(plan.servers, (server) => this.#fill(server));
    if (changed.ok) this.#plan = { ...plan, doors: this.#plan.doors };
    return changed;
  }

  /** A server that joins gets everything that is known. */
  async #fill(server: Server): Promise<void> {
    server.update(this.#feed.everything(this.#source.current()));
    await server.responder.applied();
  }

  async #served(): Promise<void> {
    await this.#source.synced;
    const servers = this.#crew.servers;
    await Promise.all(servers.map(({ responder }) => Promise.all([responder.started, responder.applied()])));
    this.#complete = true;
  }

  /** late is what may wait until names are answered: it takes longer to load than the names do to read. */
  #late(): Room {
    const { clock, log, out } = this.#deps;
    const { http, version } = this.#options;
    return {
      name: "late",
      run: async (signal) => {
        await Promise.race([this.serving, aborted(signal), waitAtMost(clock, 5000, signal)]);
        if (signal.aborted) return;
        const { createDoors } = await import("./doors.ts");
        const { createQueryLogger } = await import("./query-logger.ts");
        const servers = (): readonly Server[] => this.#crew.servers;
        const doors = createDoors({
          ...{ plan: this.#plan.doors, http, version, servers, clock, log },
          notReady: () => this.notReady(),
          ending: () => this.#ending,
          reload: () => (this.#plan.hash === null ? null : { failed: this.#failures, hash: this.#plan.hash }),
        });
        await runAll([...doors, createQueryLogger({ servers, clock, out })], signal);
      },
    };
  }
}

interface SourceDeps extends Pick<NameserverDeps, "clock" | "log" | "random"> {
  readonly troubles: Troubles;
}

function createSource({ from, version }: NameserverOptions, deps: SourceDeps): ManifestSource {
  if (from.kind === "folder") return createManifestSource({ dir: from.dir, ...deps });
  const api = new from.live.ApiServer(from.access, deps.clock, version);
  return from.live.createKubernetesSource({ api, reads: "imports", markers: [], sinks: null, ...deps });
}

async function waitAtMost(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch((reason: unknown) => {
    if (!isAbort(reason)) throw reason;
  });
}

function tell(log: Log, { title, code, subject, detail, severity }: Trouble, present: boolean): void {
  const fields = { code, subject, detail };
  if (!present) log.info(`no more: ${title}`, fields);
  else if (severity === "info") log.info(`trouble: ${title}`, fields);
  else log.warn(`trouble: ${title}`, fields);
}
