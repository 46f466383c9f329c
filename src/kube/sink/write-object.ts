import { err, ok, type Result } from "#values";
import type { ApiFault } from "../api/fault.ts";
import type { Resource } from "../api/resource.ts";
import type { Held } from "./held.ts";
import type { HeldObjects } from "./held-objects.ts";
import type { KubeObject } from "./kube-object.ts";
import type { Projection } from "./projection.ts";
import { altered, foreign } from "./write-fault.ts";
import type { Writer } from "./writer.ts";

/** ObjectKind is what is known of the objects of a kind, and how two of them are compared. */
export interface ObjectKind<T extends Held> {
  readonly resource: Resource;
  readonly objects: HeldObjects<T>;
  readonly project: (object: unknown) => Projection;
}

/** writeObject applies an object unless it is there as it is to be; the value is how long it must be left alone before. */
export async function writeObject<T extends Held>(
  writer: Writer,
  { resource, objects, project }: ObjectKind<T>,
  object: KubeObject,
  signal: AbortSignal,
): Promise<Result<number, ApiFault>> {
  const { namespace, name } = object.metadata;
  const key = `${namespace}/${name}`;
  const held = objects.get(key);
  const wanted = project(object);
  if (held?.projection === wanted) return ok(0);
  if (held !== undefined && !held.ours) return err(foreign(resource.kind, key));
  const waitMs = writer.waitMs(resource, object.metadata);
  if (waitMs > 0) return ok(waitMs);
  const done = await writer.apply(resource, object, { held: held?.meta ?? null, signal });
  if (!done.ok) return done;
  const after = objects.answered(key, done.value);
  // Somebody has deleted it since: it is written again as soon as it may be.
  if (after === undefined) return ok(Math.max(1, writer.waitMs(resource, object.metadata)));
  return after.projection === wanted ? ok(0) : err(altered(resource.kind, key));
}
