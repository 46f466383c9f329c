import type { Clock, Room, Troubles } from "#life";
import type { Condition } from "#services";
import type { ApiServer } from "../api/api-server.ts";
import type { ObjectFollower } from "../api/list-watch.ts";
import { RESOURCES } from "../api/resource.ts";
import { EXPORT_CONDITIONS, type HeldExport, heldExport } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { KeyedQueue, type Outcome } from "./keyed-queue.ts";
import type { KubeObject } from "./kube-object.ts";
import { projectStatus } from "./projection.ts";
import { stamped } from "./stamped.ts";
import { Writer } from "./writer.ts";

export interface ExportSinkOptions {
  readonly api: Pick<ApiServer, "request">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly mayWrite: () => boolean;
  /** The conditions that an export is to have; undefined while they are not known. */
  readonly conditionsOf: (key: string) => readonly Condition[] | undefined;
}

const WORKERS = 4;
const DONE: Outcome = { kind: "done" };

/** ExportSink tells the writers of ServiceExports what became of them: the conditions Valid, Ready and Conflict. */
export class ExportSink implements Room {
  readonly name = "export conditions";
  readonly #options: ExportSinkOptions;
  readonly #writer: Writer;
  readonly #queue: KeyedQueue;
  #owes = false;
  readonly #held = new HeldObjects(heldExport, (key) => this.#queue.add(key));

  constructor(options: ExportSinkOptions) {
    this.#options = options;
    this.#writer = new Writer(options.api, options.clock);
    const { clock, random } = options;
    const work = (key: string, signal: AbortSignal): Promise<Outcome> => this.#work(key, signal);
    this.#queue = new KeyedQueue({ name: this.name, clock, random, workers: WORKERS, work });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  follower(): ObjectFollower {
    return this.#held.follower({ listed: () => {}, back: () => this.#queue.hurry() });
  }

  /** changed says that exports should be looked at again; what is no export is passed over. */
  changed(keys: Iterable<string>): void {
    for (const key of keys) if (this.#held.get(key) !== undefined) this.#queue.add(key);
  }

  /** owes is true where something was passed over because this gateway did not write: see again. */
  get owes(): boolean {
    return this.#owes;
  }

  /** again looks at all of them: this gateway may write now. */
  again(): void {
    this.#owes = false;
    for (const [key] of this.#held.entries()) this.#queue.add(key);
  }

  async #work(key: string, signal: AbortSignal): Promise<Outcome> {
    const held = this.#held.get(key);
    if (held === undefined) return DONE;
    if (!this.#options.mayWrite()) {
      this.#owes = true;
      return DONE;
    }
    if (this.#held.away) return { kind: "failed", afterMs: 0 };
    const conditions = this.#options.conditionsOf(key);
    if (conditions === undefined) return DONE;
    const object = statusObject(held, conditions, this.#options.clock.now());
    if (projectStatus(object, EXPORT_CONDITIONS) === held.projection) return DONE;
    const afterMs = this.#writer.waitMs(RESOURCES.serviceExports, held.meta);
    if (afterMs > 0) return { kind: "again", afterMs };
    const how = { held: held.meta, subresource: "status", signal } as const;
    const done = await this.#writer.apply(RESOURCES.serviceExports, object, how);
    const { troubles } = this.#options;
    if (done.ok) {
      this.#held.answered(key, done.value);
      troubles.clear("export-unwritten", key);
      return DONE;
    }
    if (done.error.code === 404) return DONE; // deleted since
    const title = "The conditions of an export cannot be written to the API server";
    const { reason, message, retryAfterMs } = done.error;
    troubles.set({
      code: "export-unwritten",
      severity: "warning",
      title,
      subject: key,
      detail: `${reason}: ${message}`,
    });
    return { kind: "failed", afterMs: Math.min(retryAfterMs ?? 0, 30_000) };
  }
}

function statusObject(
  { meta, conditions: held }: HeldExport,
  conditions: readonly Condition[],
  now: number,
): KubeObject {
  const { apiVersion, kind } = RESOURCES.serviceExports;
  const { namespace, name } = meta;
  return { apiVersion, kind, metadata: { namespace, name }, status: { conditions: stamped(conditions, held, now) } };
}
