import type { Clock } from "#life";
import type { ImportedService } from "#services";
import { err, type Ip, ok, type Result } from "#values";
import type { ApiFault } from "../api/fault.ts";
import { RESOURCES } from "../api/resource.ts";
import { derivedKey } from "./derived-name.ts";
import { type HeldService, heldService } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { serviceObject } from "./import-object.ts";
import { projectService } from "./projection.ts";
import { foreign } from "./write-fault.ts";
import { writeObject } from "./write-object.ts";
import type { Writer } from "./writer.ts";

/** DerivedServices are the Services derived from imports, those that are there and those that are to be. Keys are the
 *  imports'. */
export class DerivedServices {
  readonly held = new HeldObjects(heldService, (name, before, after) => {
    if (before?.meta.uid !== after?.meta.uid) this.#foundAt.set(name, this.#clock.monotonic());
    if (after === undefined) this.#foundAt.delete(name);
    const key = this.#keys.get(name);
    if (key !== undefined) this.#changed(key, before?.clusterIp !== after?.clusterIp);
  });
  readonly #writer: Writer;
  readonly #clock: Clock;
  readonly #changed: (key: string, address: boolean) => void;
  /** Keys by the names of their Services. */
  readonly #keys = new Map<string, string>();
  /** When a Service was found first, monotonic, by its name. */
  readonly #foundAt = new Map<string, number>();
  /** When a Service that is not wanted any more was found, monotonic. */
  readonly #retired = new Map<string, number>();

  /** `changed` hears of each Service that is other than before, and whether its address is. */
  constructor(writer: Writer, clock: Clock, changed: (key: string, address: boolean) => void) {
    this.#writer = writer;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** know says that there is or was an import of a key. */
  know(key: string): void {
    this.#keys.set(derivedKey(key), key);
  }

  /** of is the Service of an import, where it is there and ours. */
  of(key: string): HeldService | undefined {
    const held = this.held.get(derivedKey(key));
    return held?.ours === true ? held : undefined;
  }

  /** ageMs is for how long there has been the Service of an import, as far as is known here. */
  ageMs(key: string): number {
    const now = this.#clock.monotonic();
    return now - (this.#foundAt.get(derivedKey(key)) ?? now);
  }

  /** orphans are Services of ours of which no import is known, by their own names. */
  *orphans(): Generator<string> {
    for (const [name, { ours }] of this.held.entries()) if (ours && !this.#keys.has(name)) yield name;
  }

  /** settle makes the Service of an import, by the address of before if it can be had. */
  async settle(
    imported: ImportedService,
    before: Ip | null,
    signal: AbortSignal,
  ): Promise<Result<{ readonly ip: Ip | null; readonly waitMs: number }, ApiFault>> {
    const key = `${imported.namespace}/${imported.name}`;
    const name = derivedKey(key);
    const held = this.held.get(name);
    this.#retired.delete(key);
    if (held !== undefined && !held.ours) return err(foreign("Service", name));
    const kind = { resource: RESOURCES.services, objects: this.held, project: projectService };
    const write = (ip: Ip | null): Promise<Result<number, ApiFault>> =>
      writeObject(this.#writer, kind, serviceObject(imported, ip), signal);
    const wanted = held?.clusterIp ?? before;
    let made = await write(wanted);
    // The address of before is somebody else's by now, or the cluster's range is another.
    if (!made.ok && made.error.code === 422 && held === undefined && wanted !== null) made = await write(null);
    return made.ok ? ok({ ip: this.of(key)?.clusterIp ?? before, waitMs: made.value }) : made;
  }

  /** retire removes the Service of an import, `lingerMs` after it was first asked to; the value is how long that is to
   *  be waited for. */
  async retire(key: string, lingerMs: number, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const now = this.#clock.monotonic();
    const since = this.#retired.get(key) ?? now;
    if (this.of(key) !== undefined && since + lingerMs > now) {
      this.#retired.set(key, since);
      return ok(since + lingerMs - now);
    }
    this.#retired.delete(key);
    return this.remove(derivedKey(key), signal);
  }

  /** remove deletes a Service by its own name, unless it is somebody else's. */
  async remove(name: string, signal: AbortSignal): Promise<Result<number, ApiFault>> {
    const held = this.held.get(name);
    if (held?.ours !== true) return ok(0);
    const gone = await this.#writer.remove(RESOURCES.services, held.meta, signal);
    if (gone.ok) this.held.remove(name);
    return gone.ok ? ok(0) : gone;
  }
}
