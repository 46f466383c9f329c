import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, isAbort, type Log, type Room, slices, type Troubles } from "#life";
import { FolderWatch, type Hint } from "./folder-watch.ts";
import { Lane } from "./lane.ts";
import { type FolderNews, isManifest, ManifestFolder } from "./manifest-folder.ts";
import { ManifestIndex } from "./manifest-index.ts";
import { FileTroubles } from "./manifest-troubles.ts";
import type { ManifestChange, Manifests } from "./manifests.ts";
import { ParsePool } from "./parse-pool.ts";

export interface ManifestSourceOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly random: () => number;
}

/** ManifestSource reads what a folder of Kubernetes manifests exports, and follows its changes. */
export interface ManifestSource extends Room {
  /** Resolves when the whole folder has been read once, broken files included: see `unread` of Manifests. */
  readonly synced: Promise<void>;
  onChange(listener: (change: ManifestChange) => void): void;
  current(): Manifests;
}

const POLL_MS = 500;
/** A folder of very many files is polled less often: looking takes at most a twentieth of the time. */
const POLL_SHARE = 20;
/** Exports rebuilt and told of at a time. */
const BATCH = 200;
/** Work of one turn of the event loop: half of what is allowed, since the collector's time adds to it. */
const BUDGET_MS = 2;

/** createManifestSource makes a source; it runs one time.
 *
 *    inotify (FolderWatch) ──hints──┐
 *                                   ├──> ManifestFolder ──> ManifestIndex ──> listeners
 *    poll every 500 ms ─────────────┘     large files: ParsePool
 *
 *  All that keeps the main thread busy, parsing and joining, goes through one Lane in short slices. */
export function createManifestSource(options: ManifestSourceOptions): ManifestSource {
  return new FolderSource(options);
}

class FolderSource implements ManifestSource {
  readonly name = "manifests";
  readonly synced: Promise<void>;
  readonly #options: ManifestSourceOptions;
  readonly #index = new ManifestIndex();
  readonly #lane = new Lane();
  readonly #listeners: ((change: ManifestChange) => void)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #troubles: FileTroubles;
  readonly #resolveSynced: () => void;
  readonly #failed = new AbortController();
  #failure: { readonly reason: unknown } | null = null;
  #isSynced = false;
  #toldOthers = 0;

  constructor(options: ManifestSourceOptions) {
    this.#options = options;
    this.#troubles = new FileTroubles(options.dir, options.troubles);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
  }

  onChange(listener: (change: ManifestChange) => void): void {
    this.#listeners.push(listener);
  }

  current(): Manifests {
    return this.#index.manifests;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { dir, clock, log } = this.#options;
    const both = AbortSignal.any([signal, this.#failed.signal]);
    const pool = new ParsePool(clock);
    const folder = new ManifestFolder({ dir, clock, pool, lane: this.#lane, news: this.#news(both), signal: both });
    const watch = new FolderWatch(dir, log, (hint) => this.#track(this.#follow(folder, watch, hint)));
    const stop = (): void => void pool.close(); // what waits for a worker need not wait for its file
    both.addEventListener("abort", stop, { once: true });
    try {
      while (!both.aborted) await this.#round(folder, watch, both);
    } catch (reason) {
      if (!(both.aborted && isAbort(reason))) throw reason;
    } finally {
      this.#failed.abort(); // ends what hints began, whatever ended the rounds
      watch.close();
      await pool.close();
      await Promise.allSettled(this.#running);
      watch.close();
    }
    if (this.#failure !== null) throw this.#failure.reason;
  }

  /** round is one poll. The watch is armed before the folder is read, so that no change falls between the two. */
  async #round(folder: ManifestFolder, watch: FolderWatch, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const begin = clock.monotonic();
    await watch.arm();
    const missing = await folder.scan(false);
    signal.throwIfAborted();
    this.#troubles.folder(missing);
    if (missing === null && !this.#isSynced) this.#sync(clock.monotonic() - begin);
    const rest = Math.max(POLL_MS * (0.9 + 0.1 * random()), POLL_SHARE * (clock.monotonic() - begin));
    await clock.sleep(this.#isSynced ? Math.min(rest, 30_000) : POLL_MS, signal);
  }

  #sync(tookMs: number): void {
    const { exports, imports, namespaces, ignoredKinds } = this.current();
    const counts = { exports: exports.size, imports: imports.size, namespaces: namespaces.size, ignored: ignoredKinds };
    this.#options.log.info("manifests read", { dir: this.#options.dir, ...counts, seconds: tookMs / 1000 });
    this.#isSynced = true;
    this.#resolveSynced();
    this.#tell({ changed: [], changedImports: [] });
  }

  /** follow looks where inotify points; a whole folder that was swapped is complete. */
  async #follow(folder: ManifestFolder, watch: FolderWatch, { file, movedFrom }: Hint): Promise<void> {
    if (file === null) {
      await watch.arm();
      await folder.scan(true);
    } else if (isManifest(file)) await folder.examine(file, movedFrom !== null && (await folder.isGone(movedFrom)));
  }

  #news(signal: AbortSignal): FolderNews {
    return {
      parsed: async (file, { parts, rest }) => {
        if (rest.faults.length > 0) return this.#fault(file, rest.faults.join("; "));
        await this.#apply(() => this.#index.replace(file, parts, rest), signal);
        this.#troubles.good(file);
      },
      removed: async (file) => {
        await this.#apply(() => this.#index.remove(file), signal);
        this.#troubles.good(file);
      },
      fault: (file, reason) => this.#fault(file, reason),
    };
  }

  #fault(file: string, detail: string): void {
    this.#index.markUnread(file);
    this.#troubles.bad(file, detail);
  }

  /** apply puts a file's content in force and tells of it, both in steps between which the event loop turns. */
  #apply(steps: () => Iterable<void>, signal: AbortSignal): Promise<void> {
    return this.#lane.run(async () => {
      await slices(steps(), () => {}, { budgetMs: BUDGET_MS, signal });
      this.#troubles.duplicates(this.#index.duplicates());
      for (let more = true; more; ) {
        const batch = this.#index.flush(BATCH);
        const anything = batch.changed.length + batch.changedImports.length > 0;
        if (anything || this.#index.otherChanges !== this.#toldOthers) this.#tell(batch);
        more = batch.more;
        if (more) await nextTurn(undefined, { signal });
      }
    });
  }

  #tell({ changed, changedImports }: Pick<ManifestChange, "changed" | "changedImports">): void {
    this.#toldOthers = this.#index.otherChanges;
    const change: ManifestChange = { changed, changedImports, manifests: this.current(), synced: this.#isSynced };
    for (const listener of this.#listeners) listener(change);
  }

  /** track keeps what a hint began, so that run waits for it. It fails by abort, or by a bug, which ends the run. */
  #track(work: Promise<void>): void {
    const tracked = work.catch((reason: unknown) => {
      if (this.#failed.signal.aborted || isAbort(reason)) return;
      this.#failure = { reason };
      this.#failed.abort();
    });
    this.#running.add(tracked);
    void tracked.finally(() => this.#running.delete(tracked));
  }
}
