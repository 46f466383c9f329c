import { backoffMs, type Clock, isAbort, type Log, type Room } from "#life";
import { err, ok, type Result } from "#values";
import type { ApiServer } from "./api-server.ts";
import { type ApiFault, statusFault } from "./fault.ts";
import { keyOf, metadataOf, pathOf, type Resource, rightOf } from "./resource.ts";
import { bookmarkVersion, isFuture, isOlder, type Page, pageOf, parseEvent } from "./watch-text.ts";

/** Follower hears what a ListWatch finds. Objects are as they came: whoever follows checks them. */
export interface ObjectFollower {
  put(key: string, object: unknown): void;
  remove(key: string): void;
  /** All objects were listed, and those that are gone removed: from now on what was not put is not there. */
  listed(): void;
  /** Why nothing is heard now; null: it is again. What was heard before stays. */
  fault(fault: ApiFault | null): void;
}

export interface ListWatchOptions {
  readonly api: Pick<ApiServer, "request" | "stream">;
  readonly resource: Resource;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** The one namespace that is looked at; absent: all. */
  readonly namespace?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly follower: ObjectFollower;
  /** Objects to a page. */
  readonly page?: number;
}

/** A server closes a watch after this long; jittered, so that not all come back at once. */
const WATCH_SECONDS = { least: 300, most: 600 };
/** A server sends a bookmark about every minute: three of them missed, and the connection is dead. */
const SILENCE_MS = 180_000;
const BACKOFF = { firstMs: 100, maxMs: 2000, jitter: 0.5 };
/** An etcd may lose events (faults.md F27): what is held is compared with what is there, by versions alone. */
const COMPARE_MS = 50_000;
/** What was under way comes by the watch within this time. */
const CONFIRM_MS = 500;
/** A watch that ran for so long was no failure of the server. */
const GOOD_WATCH_MS = 5000;
/** Comparing asks for names and versions alone (KEP-2334). */
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** ListWatch keeps a follower up to date with all objects of a kind, for as long as it runs:
 *
 *     listing ──> watching ──(closed: from the last version)──> watching
 *        ↑           └──(410 Expired, or a comparison that differs)──┐
 *        └──(after a while, with jitter)─────────────────────────────┘
 *
 *  Whatever fails, what was heard stays: only an object that a whole list does not hold, or that a watch says is
 *  deleted, is removed. */
export class ListWatch implements Room {
  readonly name: string;
  readonly #options: ListWatchOptions;
  readonly #versions = new Map<string, string>();
  #version = "";
  #failures = 0;
  #expired = 0;
  #comparedAt = 0;
  /** Whether the server could not be reached: it may be another when it is back. */
  #lost = false;

  constructor(options: ListWatchOptions) {
    this.#options = options;
    this.name = rightOf(options.resource);
  }

  /** size is the number of objects that are known. */
  get size(): number {
    return this.#versions.size;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#round(signal);
    } catch (reason) {
      if (!(signal.aborted && isAbort(reason))) throw reason;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, follower, random, log } = this.#options;
    const started = clock.monotonic();
    if (this.#lost && this.#version !== "") await this.#lookAtVersion(signal);
    const done = this.#version === "" ? await this.#list(signal) : await this.#watch(signal);
    const long = clock.monotonic() - started > GOOD_WATCH_MS;
    if (done.ok || long) this.#failures = 0;
    if (long) this.#expired = 0;
    if (done.ok) return follower.fault(null);
    const { code, reason, message, retryAfterMs } = done.error;
    if (code === 0) this.#lost = true;
    const old = reason === "Expired" || code === 410 || isFuture(done.error);
    if (old) this.#version = "";
    else follower.fault(done.error);
    // A version that is too old is no failure: all is listed at once, unless that was done a moment ago.
    const tries = old ? this.#expired++ : this.#failures++;
    const wait = Math.max(backoffMs(tries, random, BACKOFF), Math.min(retryAfterMs ?? 0, 30_000));
    log.debug("following an API failed", { resource: this.name, code, reason, message, seconds: wait / 1000 });
    await clock.sleep(wait, signal);
  }

  /** lookAtVersion finds a server that was restored from a backup: it is older than what was heard of it, and a watch
   *  from a version ahead of it would hear nothing. What else may have happened to it, a comparison finds at once. */
  async #lookAtVersion(signal: AbortSignal): Promise<void> {
    const one = await this.#page("", signal, METADATA, 1);
    if (!one.ok) return; // the watch meets the same fault, and tells of it
    this.#lost = false;
    if (isOlder(one.value.version, this.#version)) this.#version = "";
    this.#comparedAt = Number.NEGATIVE_INFINITY;
  }

  /** list reads everything, page by page; what was known and is not there any more is removed at the end. */
  async #list(signal: AbortSignal): Promise<Result<void, ApiFault>> {
    const { follower, clock } = this.#options;
    const gone = new Set(this.#versions.keys());
    let version = "";
    for (let next = ""; ; ) {
      const page = await this.#page(next, signal);
      if (!page.ok) return page;
      for (const item of page.value.items) gone.delete(this.#put(item));
      version = page.value.version;
      next = page.value.next;
      if (next === "") break;
    }
    for (const key of gone) this.#remove(key);
    this.#version = version;
    this.#comparedAt = clock.monotonic();
    follower.listed();
    return ok(undefined);
  }

  async #page(
    next: string,
    signal: AbortSignal,
    accept?: string,
    most = this.#options.page ?? 500,
  ): Promise<Result<Page, ApiFault>> {
    const { api } = this.#options;
    const query = { ...this.#selectors(), limit: String(most), ...(next === "" ? {} : { continue: next }) };
    const request = { path: this.#path, query, ...(accept === undefined ? {} : { accept }) };
    const answer = await api.request(request, signal);
    return answer.ok ? pageOf(answer.value, this.#options.resource) : answer;
  }

  get #path(): string {
    return pathOf(this.#options.resource, this.#options.namespace);
  }

  #selectors(): Readonly<Record<string, string>> {
    const { labelSelector, fieldSelector } = this.#options;
    return {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  async #watch(signal: AbortSignal): Promise<Result<void, ApiFault>> {
    const { api, clock, random } = this.#options;
    const { least, most } = WATCH_SECONDS;
    const query = {
      ...this.#selectors(),
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.round(least + (most - least) * random())),
    };
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    let fault: ApiFault | null = null;
    const line = (text: string): void => {
      fault ??= this.#event(text);
      if (fault !== null) over.abort(); // what follows an ERROR event means nothing
    };
    const comparing = this.#compareNow(both, over);
    const opened = (): void => this.#options.follower.fault(null);
    try {
      const request = { path: this.#path, query };
      const streamed = await api.stream(request, { opened, line }, { signal: both, silenceMs: SILENCE_MS });
      if (fault !== null) return err(fault);
      if (!streamed.ok) return streamed;
      // A server that ends each watch at once must not be asked a hundred times a second.
      await clock.sleep(backoffMs(this.#failures, random, { ...BACKOFF, firstMs: 10, maxMs: 100 }), signal);
      return ok(undefined);
    } catch (reason) {
      signal.throwIfAborted();
      if (!over.signal.aborted) throw reason;
      return fault === null ? ok(undefined) : err(fault);
    } finally {
      over.abort();
      await comparing;
    }
  }

  /** event takes one line of a watch; it gives the fault that an ERROR event tells. */
  #event(text: string): ApiFault | null {
    if (text.trim() === "") return null;
    const parsed = parseEvent(text);
    if (!parsed.ok) return parsed.error;
    const { type, object } = parsed.value;
    if (type === "ERROR") return statusFault(object);
    const meta = metadataOf(object);
    const version = meta?.resourceVersion ?? bookmarkVersion(object);
    if (type === "ADDED" || type === "MODIFIED") this.#put(object);
    else if (type === "DELETED" && meta !== undefined) this.#remove(keyOf(meta));
    if (version !== "") this.#version = version;
    return null;
  }

  #put(object: unknown): string {
    const meta = metadataOf(object);
    if (meta === undefined) return "";
    const key = keyOf(meta);
    if (this.#versions.get(key) === meta.resourceVersion) return key;
    this.#versions.set(key, meta.resourceVersion);
    this.#options.follower.put(key, object);
    return key;
  }

  #remove(key: string): void {
    if (this.#versions.delete(key)) this.#options.follower.remove(key);
  }

  /** compareNow ends a watch that has missed something: all is then listed anew. */
  async #compareNow(signal: AbortSignal, watch: AbortController): Promise<void> {
    const { clock, log, random } = this.#options;
    try {
      while (!signal.aborted) {
        const due = this.#comparedAt + COMPARE_MS * (0.9 + 0.1 * random()) - clock.monotonic();
        await clock.sleep(Math.max(due, CONFIRM_MS), signal);
        const differs = await this.#differs(signal);
        this.#comparedAt = clock.monotonic();
        if (differs === null) continue;
        log.warn("events of an API were lost: all is listed anew", { resource: this.name, object: differs });
        this.#version = "";
        watch.abort();
      }
    } catch (reason) {
      if (!(signal.aborted && isAbort(reason))) throw reason;
    }
  }

  /** differs names an object that is other than it is held here, and was so before the comparison began. */
  async #differs(signal: AbortSignal): Promise<string | null> {
    const held = new Map(this.#versions);
    const missing = new Set(held.keys());
    let suspect: string | null = null;
    for (let next = ""; ; ) {
      const page = await this.#page(next, signal, METADATA);
      if (!page.ok) return null; // the watch itself tells of a server that is away
      for (const item of page.value.items) {
        const meta = metadataOf(item);
        if (meta === undefined) continue;
        missing.delete(keyOf(meta));
        if (held.get(keyOf(meta)) !== meta.resourceVersion) suspect = keyOf(meta);
      }
      next = page.value.next;
      if (next === "") break;
    }
    const [lost] = missing;
    suspect ??= lost ?? null;
    if (suspect === null) return null;
    // What changed while the list was under way comes by the watch within moments.
    const before = held.get(suspect);
    await this.#options.clock.sleep(CONFIRM_MS, signal);
    return this.#versions.get(suspect) === before ? suspect : null;
  }
}
