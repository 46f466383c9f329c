import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import type { ApiServer } from "../api/api-server.ts";
import type { ApiFault } from "../api/fault.ts";
import type { KubeObject } from "./deploy-files.ts";
import { describe, type Name, nameOf, pathTo } from "./kinds.ts";

/** Who owns what is installed (server-side apply, KEP-555); the gateways write under another name. */
export const INSTALLER = "meridian-install";

const POLL_MS = 500;

/** Editor changes a cluster as an operator does. Every fault names the object. */
export class Editor {
  readonly #api: Pick<ApiServer, "request">;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(api: Pick<ApiServer, "request">, clock: Clock, signal: AbortSignal) {
    this.#api = api;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** get gives an object, or undefined where there is none. */
  async get(name: Name): Promise<Result<KubeObject | undefined>> {
    const found = await this.#api.request({ path: pathTo(name) }, this.#signal);
    if (!found.ok) return found.error.code === 404 ? ok(undefined) : err(faultOf(name, found.error));
    return ok(found.value as KubeObject);
  }

  /** list gives the objects of a kind, in one namespace or (where that is empty) in all. */
  async list(kind: string, namespace: string, labelSelector = ""): Promise<Result<readonly KubeObject[]>> {
    const name = { kind, namespace, name: "" };
    const found = await this.#api.request({ path: pathTo(name), query: { labelSelector } }, this.#signal);
    if (!found.ok) return err(faultOf(name, found.error));
    return ok((found.value as { readonly items?: readonly KubeObject[] }).items ?? []);
  }

  /** apply makes an object, or makes it what the manifest says; what others wrote beside that stays. */
  async apply(object: KubeObject): Promise<Result<KubeObject>> {
    const name = nameOf(object);
    const query = { fieldManager: INSTALLER, force: "true" };
    const contentType = "application/apply-patch+yaml";
    const done = await this.#api.request(
      { method: "PATCH", path: pathTo(name), query, contentType, body: object },
      this.#signal,
    );
    return done.ok ? ok(done.value as KubeObject) : err(faultOf(name, done.error));
  }

  /** create makes an object that is not there yet; false where somebody was faster. */
  async create(object: KubeObject): Promise<Result<boolean>> {
    const name = nameOf(object);
    const path = pathTo({ ...name, name: "" });
    const query = { fieldManager: INSTALLER };
    const done = await this.#api.request({ method: "POST", path, query, body: object }, this.#signal);
    if (done.ok) return ok(true);
    return done.error.code === 409 ? ok(false) : err(faultOf(name, done.error));
  }

  /** merge changes some fields of an object (RFC 7386); null takes one away. */
  async merge(name: Name, patch: object): Promise<Result<void>> {
    const contentType = "application/merge-patch+json";
    const query = { fieldManager: INSTALLER };
    const done = await this.#api.request(
      { method: "PATCH", path: pathTo(name), query, contentType, body: patch },
      this.#signal,
    );
    return done.ok ? ok(undefined) : err(faultOf(name, done.error));
  }

  /** remove deletes an object and waits until it is gone, with all that belongs to it. */
  async remove(name: Name, timeoutMs: number): Promise<Result<void>> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" };
    const asked = await this.#api.request({ method: "DELETE", path: pathTo(name), body }, this.#signal);
    if (!asked.ok && asked.error.code !== 404) return err(faultOf(name, asked.error));
    return this.until(timeoutMs, async () => {
      const left = await this.get(name);
      if (!left.ok) return left;
      return ok(left.value === undefined ? null : `${describe(name)} is still being deleted`);
    });
  }

  /** until asks again and again: null is the end, a text is what is waited for. */
  async until(timeoutMs: number, look: () => Promise<Result<string | null>>): Promise<Result<void>> {
    const end = this.#clock.monotonic() + timeoutMs;
    for (;;) {
      const seen = await look();
      if (!seen.ok) return seen;
      if (seen.value === null) return ok(undefined);
      if (this.#clock.monotonic() > end) return err(`after ${Math.round(timeoutMs / 1000)} s: ${seen.value}`);
      await this.#clock.sleep(POLL_MS, this.#signal);
    }
  }
}

function faultOf(name: Name, { reason, message }: ApiFault): string {
  return `${describe(name)}: ${message.includes(reason) ? "" : `${reason}: `}${message}`;
}
