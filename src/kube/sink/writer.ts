import type { Clock } from "#life";
import type { Result } from "#values";
import type { ApiRequest, ApiServer } from "../api/api-server.ts";
import type { ApiFault } from "../api/fault.ts";
import { type Metadata, pathOf, type Resource } from "../api/resource.ts";
import { MANAGER } from "../well-known.ts";
import type { KubeObject } from "./kube-object.ts";

/** An object is written at most so often. */
const INTERVAL_MS = 1000;
/** How long a write is waited for at the end. */
const GRACE_MS = 3000;
const MOST_TIMES = 10_000;

/** Writer writes objects by server-side apply (KEP-555), under one field manager, and not too often. */
export class Writer {
  readonly #api: Pick<ApiServer, "request">;
  readonly #clock: Clock;
  readonly #written = new Map<string, number>();

  constructor(api: Pick<ApiServer, "request">, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** waitMs is how long an object must still be left alone; 0: it may be written. */
  waitMs(resource: Resource, { namespace, name }: Pick<Metadata, "namespace" | "name">): number {
    const last = this.#written.get(pathOf(resource, namespace, name));
    return last === undefined ? 0 : Math.max(0, last + INTERVAL_MS - this.#clock.monotonic());
  }

  /** apply makes an object what it is to be. With the metadata of one that is ours it overrides what others have
   *  changed of it since, and fails if it is another object by now; without, it takes nothing from anybody. */
  apply(
    resource: Resource,
    object: KubeObject,
    { held, subresource, signal }: { held: Metadata | null; subresource?: "status"; signal: AbortSignal },
  ): Promise<Result<unknown, ApiFault>> {
    const { namespace, name } = object.metadata;
    const path = pathOf(resource, namespace, name);
    this.#note(path);
    const metadata = held === null ? object.metadata : { ...object.metadata, uid: held.uid };
    return this.#ask(
      {
        method: "PATCH",
        path: subresource === undefined ? path : `${path}/${subresource}`,
        query: { fieldManager: MANAGER, force: String(held !== null) },
        contentType: "application/apply-patch+yaml",
        body: { ...object, metadata },
      },
      signal,
    );
  }

  /** remove deletes one object, and no other of its name. */
  async remove(
    resource: Resource,
    { namespace, name, uid }: Metadata,
    signal: AbortSignal,
  ): Promise<Result<unknown, ApiFault>> {
    const path = pathOf(resource, namespace, name);
    this.#note(path);
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
    const done = await this.#ask({ method: "DELETE", path, body }, signal);
    const gone = !done.ok && (done.error.code === 404 || done.error.code === 409);
    return gone ? { ok: true, value: undefined } : done;
  }

  /** A write that is under way when all ends is waited for: it would happen all the same, after what follows. */
  async #ask(request: ApiRequest, signal: AbortSignal): Promise<Result<unknown, ApiFault>> {
    signal.throwIfAborted();
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      timer = setTimeout(() => late.abort(signal.reason), GRACE_MS);
    };
    signal.addEventListener("abort", wait, { once: true });
    try {
      return await this.#api.request(request, late.signal);
    } finally {
      signal.removeEventListener("abort", wait);
      clearTimeout(timer);
    }
  }

  #note(path: string): void {
    const now = this.#clock.monotonic();
    this.#written.delete(path);
    this.#written.set(path, now);
    for (const [old, at] of this.#written) {
      if (now - at < INTERVAL_MS && this.#written.size < MOST_TIMES) break;
      this.#written.delete(old);
    }
  }
}
