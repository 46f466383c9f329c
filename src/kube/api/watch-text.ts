import { err, ok, type Result } from "#values";
import type { ApiFault } from "./fault.ts";
import type { Resource } from "./resource.ts";

/** Page is a part of a list. */
export interface Page {
  readonly items: readonly unknown[];
  readonly version: string;
  readonly next: string;
}

/** After a restore an API server is older than what was heard of it: it refuses a version that lies ahead of it. */
export function isFuture({ code, message }: ApiFault): boolean {
  return (code === 504 || code === 500 || code === 400) && /too large resource version|future revision/i.test(message);
}

/** Versions are numbers that grow (KEP-5504). */
export function isOlder(a: string, b: string): boolean {
  return a.length !== b.length ? a.length < b.length : a < b;
}

/** pageOf reads a list. */
export function pageOf(answer: unknown, { apiVersion, kind }: Resource): Result<Page, ApiFault> {
  const { items, metadata } = (answer ?? {}) as { readonly items?: unknown; readonly metadata?: unknown };
  if (items !== undefined && items !== null && !Array.isArray(items)) return err(garbled("a list without items"));
  const { resourceVersion, continue: next } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof resourceVersion !== "string") return err(garbled("a list without a resourceVersion"));
  // The items of a list leave their kind out.
  const whole = ((items ?? []) as readonly unknown[]).map((item) => ({ apiVersion, kind, ...(item as object) }));
  return ok({ items: whole, version: resourceVersion, next: typeof next === "string" ? next : "" });
}

/** parseEvent reads a line of a watch. */
export function parseEvent(text: string): Result<{ readonly type: string; readonly object: unknown }, ApiFault> {
  try {
    const { type, object } = JSON.parse(text) as { readonly type?: unknown; readonly object?: unknown };
    return typeof type === "string" ? ok({ type, object }) : err(garbled("an event without a type"));
  } catch (error) {
    return err(garbled(String(error)));
  }
}

/** A bookmark has a version and no name. */
export function bookmarkVersion(object: unknown): string {
  const version = ((object ?? {}) as { readonly metadata?: { readonly resourceVersion?: unknown } }).metadata
    ?.resourceVersion;
  return typeof version === "string" ? version : "";
}

function garbled(message: string): ApiFault {
  return { code: 200, reason: "Garbled", message, retryAfterMs: null };
}
