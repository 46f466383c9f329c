import { err, ok, type Result } from "#values";
import type { ApiServer } from "../api/api-server.ts";
import { metadataOf, pathOf, RESOURCES, type Resource } from "../api/resource.ts";
import { MANAGED_BY, MANAGER } from "../well-known.ts";
import { EXPORT_CONDITIONS } from "./held.ts";
import { projectStatus } from "./projection.ts";

type Ask = Pick<ApiServer, "request">;

/** What we make, in the order in which it goes: names first. */
const MADE: readonly (readonly [resource: Resource, label: string])[] = [
  [RESOURCES.serviceImports, MANAGED_BY.object],
  [RESOURCES.services, MANAGED_BY.object],
  [RESOURCES.endpointSlices, MANAGED_BY.slice],
  [RESOURCES.clusterProperties, MANAGED_BY.object],
];
const AT_A_TIME = 8;
const NO_CONDITIONS = projectStatus({}, EXPORT_CONDITIONS);

/** removeAll takes everything of ours out of a cluster: objects by their labels, and the conditions on ServiceExports.
 *  The value is how many objects went. */
export async function removeAll(api: Ask, signal: AbortSignal): Promise<Result<number>> {
  let removed = 0;
  for (const [resource, label] of MADE) {
    const objects = await listAll(api, resource, { labelSelector: `${label}=${MANAGER}` }, signal);
    if (!objects.ok) return objects;
    const done = await each(objects.value, (object) => removeOne(api, resource, object, signal));
    if (!done.ok) return done;
    removed += objects.value.length;
  }
  const exports = await listAll(api, RESOURCES.serviceExports, {}, signal);
  if (!exports.ok) return exports;
  const told = exports.value.filter((object) => projectStatus(object, EXPORT_CONDITIONS) !== NO_CONDITIONS);
  const cleared = await each(told, (object) => clearConditions(api, object, signal));
  return cleared.ok ? ok(removed) : cleared;
}

async function listAll(
  api: Ask,
  resource: Resource,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Result<readonly unknown[]>> {
  const all: unknown[] = [];
  for (let next = ""; ; ) {
    const page = { ...query, limit: "500", ...(next === "" ? {} : { continue: next }) };
    const found = await api.request({ path: pathOf(resource), query: page }, signal);
    if (!found.ok && found.error.code === 404) return ok([]); // a kind that is not served has no objects
    if (!found.ok) return err(`${resource.plural}: ${found.error.message}`);
    const { items, metadata } = found.value as {
      readonly items?: unknown;
      readonly metadata?: { readonly continue?: string };
    };
    if (Array.isArray(items)) all.push(...items);
    next = metadata?.continue ?? "";
    if (next === "") return ok(all);
  }
}

async function each(
  objects: readonly unknown[],
  step: (object: unknown) => Promise<Result<void>>,
): Promise<Result<void>> {
  for (let at = 0; at < objects.length; at += AT_A_TIME) {
    const done = await Promise.all(objects.slice(at, at + AT_A_TIME).map(step));
    const failed = done.find((one) => !one.ok);
    if (failed !== undefined) return failed;
  }
  return ok(undefined);
}

async function removeOne(api: Ask, resource: Resource, object: unknown, signal: AbortSignal): Promise<Result<void>> {
  const meta = metadataOf(object);
  if (meta === undefined) return ok(undefined);
  const path = pathOf(resource, meta.namespace, meta.name);
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: meta.uid } };
  const done = await api.request({ method: "DELETE", path, body }, signal);
  if (done.ok || done.error.code === 404 || done.error.code === 409) return ok(undefined);
  return err(`${path}: ${done.error.message}`);
}

/** An apply without conditions gives up what it said before (KEP-555). */
async function clearConditions(api: Ask, object: unknown, signal: AbortSignal): Promise<Result<void>> {
  const meta = metadataOf(object);
  if (meta === undefined) return ok(undefined);
  const { apiVersion, kind } = RESOURCES.serviceExports;
  const { namespace, name, uid } = meta;
  const done = await api.request(
    {
      method: "PATCH",
      path: `${pathOf(RESOURCES.serviceExports, namespace, name)}/status`,
      query: { fieldManager: MANAGER, force: "true" },
      contentType: "application/apply-patch+yaml",
      body: { apiVersion, kind, metadata: { namespace, name, uid }, status: { conditions: [] } },
    },
    signal,
  );
  return done.ok || done.error.code === 404 || done.error.code === 409
    ? ok(undefined)
    : err(`${name}: ${done.error.message}`);
}
