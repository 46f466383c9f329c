import type { Clock, Log, Room, Troubles } from "#life";
import { runAll } from "#life";
import type { ApiServer } from "../api/api-server.ts";
import { ListWatch } from "../api/list-watch.ts";
import { RESOURCES } from "../api/resource.ts";
import { MANAGED_BY, MANAGER } from "../well-known.ts";
import { type Held, heldOf } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { KeyedQueue, type Outcome } from "./keyed-queue.ts";
import { part } from "./projection.ts";
import { Writer } from "./writer.ts";

/** Names of the properties that identify a cluster in its clusterset (KEP-2149). */
export const CLUSTER_PROPERTY = "cluster.clusterset.k8s.io";
export const CLUSTERSET_PROPERTY = "clusterset.k8s.io";

export interface PropertySinkOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly mayWrite: () => boolean;
  /** What the properties are to say, by name; undefined while this cluster is no member. */
  readonly properties: () => Readonly<Record<string, string>> | undefined;
}

const DONE: Outcome = { kind: "done" };

/** PropertySink says in the cluster who it is: its id and its clusterset, as ClusterProperty objects. A cluster without
 *  their CRD goes without. An id that an administrator gave is left alone, and told of where it is another. */
export class PropertySink implements Room {
  readonly name = "cluster properties";
  readonly #options: PropertySinkOptions;
  readonly #writer: Writer;
  readonly #queue: KeyedQueue;
  readonly #held = new HeldObjects(
    (object) => heldOf(object, projectProperty),
    (key) => this.#queue.add(key),
  );

  constructor(options: PropertySinkOptions) {
    this.#options = options;
    const { api, clock, random } = options;
    this.#writer = new Writer(api, clock);
    this.#queue = new KeyedQueue({
      name: this.name,
      clock,
      random,
      workers: 1,
      work: (key, signal) => this.#work(key, signal),
    });
  }

  run(signal: AbortSignal): Promise<void> {
    const follower = this.#held.follower({ listed: () => this.again(), back: () => this.#queue.hurry() });
    const watch = new ListWatch({ ...this.#options, resource: RESOURCES.clusterProperties, follower });
    return runAll([watch, this.#queue], signal);
  }

  /** again looks at both properties: this gateway may write now, or the cluster is a member now. */
  again(): void {
    for (const name of [CLUSTER_PROPERTY, CLUSTERSET_PROPERTY]) this.#queue.add(name);
  }

  async #work(name: string, signal: AbortSignal): Promise<Outcome> {
    const value = this.#options.properties()?.[name];
    if (value === undefined || !this.#held.listed || this.#held.away || !this.#options.mayWrite()) return DONE;
    const { apiVersion, kind } = RESOURCES.clusterProperties;
    const object = {
      apiVersion,
      kind,
      metadata: { namespace: "", name, labels: { [MANAGED_BY.object]: MANAGER } },
      spec: { value },
    };
    const held = this.#held.get(name);
    if (held?.projection === projectProperty(object)) return this.#good(name);
    if (held !== undefined && !held.ours) return this.#foreign(name, value, held);
    const afterMs = this.#writer.waitMs(RESOURCES.clusterProperties, object.metadata);
    if (afterMs > 0) return { kind: "again", afterMs };
    const done = await this.#writer.apply(RESOURCES.clusterProperties, object, { held: held?.meta ?? null, signal });
    if (!done.ok) return { kind: "failed", afterMs: done.error.retryAfterMs ?? 0 };
    this.#held.answered(name, done.value);
    return this.#good(name);
  }

  #good(name: string): Outcome {
    this.#options.troubles.clear("property-foreign", name);
    return DONE;
  }

  #foreign(name: string, value: string, held: Held): Outcome {
    const theirs = JSON.parse(held.projection) as string;
    if (theirs === value) return this.#good(name);
    const title = "A ClusterProperty that somebody else made says another thing";
    const detail = `it says ${JSON.stringify(theirs)}, this member is ${JSON.stringify(value)}: delete it, or join under that id`;
    this.#options.troubles.set({ code: "property-foreign", severity: "warning", title, subject: name, detail });
    return DONE;
  }
}

function projectProperty(object: unknown): string {
  return JSON.stringify(String(part(object, "spec")["value"] ?? ""));
}
