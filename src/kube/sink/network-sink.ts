import type { Clock, Log, Room, Troubles } from "#life";
import { runAll } from "#life";
import type { ApiServer } from "../api/api-server.ts";
import type { ApiFault } from "../api/fault.ts";
import { ListWatch } from "../api/list-watch.ts";
import { keyOf, RESOURCES } from "../api/resource.ts";
import { formatNetwork, NETWORK, type NetworkDocument } from "../network-document.ts";
import { heldOf } from "./held.ts";
import { HeldObjects } from "./held-objects.ts";
import { KeyedQueue, type Outcome } from "./keyed-queue.ts";
import { part } from "./projection.ts";
import { Writer } from "./writer.ts";

export interface NetworkSinkOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly troubles: Troubles;
  readonly mayWrite: () => boolean;
  /** The namespace of this program's own objects. */
  readonly namespace: string;
  /** What the other nodes are to know; undefined while a part of it is not known. */
  readonly network: () => NetworkDocument | undefined;
}

const DONE: Outcome = { kind: "done" };
const TROUBLE = "network-unwritten";

/** NetworkSink tells the cluster's other nodes of the clusterset's network, by the ConfigMap `meridian-network`. A cluster
 *  without our namespace has no such nodes, and goes without. */
export class NetworkSink implements Room {
  readonly name = "network of the nodes";
  readonly #options: NetworkSinkOptions;
  readonly #writer: Writer;
  readonly #queue: KeyedQueue;
  readonly #key: string;
  readonly #held = new HeldObjects(
    (object) => heldOf(object, (map) => String(part(map, "data")[NETWORK.key] ?? "")),
    () => this.#queue.add(this.#key),
  );
  #last = "";

  constructor(options: NetworkSinkOptions) {
    this.#options = options;
    const { api, clock, random, namespace } = options;
    this.#key = keyOf({ namespace, name: NETWORK.name });
    this.#writer = new Writer(api, clock);
    const work = (_: string, signal: AbortSignal): Promise<Outcome> => this.#work(signal);
    this.#queue = new KeyedQueue({ name: this.name, clock, random, workers: 1, work });
  }

  run(signal: AbortSignal): Promise<void> {
    const follower = this.#held.follower({ listed: () => this.again(), back: () => this.#queue.hurry() });
    const { namespace } = this.#options;
    const only = { fieldSelector: `metadata.name=${NETWORK.name}`, namespace };
    const watch = new ListWatch({ ...this.#options, resource: RESOURCES.configMaps, follower, ...only });
    return runAll([watch, this.#queue], signal);
  }

  /** again writes what is not there as it is to be: this gateway may write now. */
  again(): void {
    this.#queue.add(this.#key);
  }

  /** look is again where the network has changed since the last look. */
  look(): void {
    const network = this.#options.network();
    const text = network === undefined ? "" : formatNetwork(network);
    if (text === this.#last) return;
    this.#last = text;
    this.again();
  }

  async #work(signal: AbortSignal): Promise<Outcome> {
    const { namespace, network, mayWrite, troubles } = this.#options;
    const document = network();
    if (document === undefined || !this.#held.listed || this.#held.away || !mayWrite()) return DONE;
    const text = formatNetwork(document);
    const held = this.#held.get(this.#key);
    if (held?.projection === text) return this.#good();
    const { apiVersion, kind } = RESOURCES.configMaps;
    const metadata = { namespace, name: NETWORK.name };
    const afterMs = this.#writer.waitMs(RESOURCES.configMaps, metadata);
    if (afterMs > 0) return { kind: "again", afterMs };
    const object = { apiVersion, kind, metadata, data: { [NETWORK.key]: text } };
    const done = await this.#writer.apply(RESOURCES.configMaps, object, { held: held?.meta ?? null, signal });
    if (done.ok) {
      this.#held.answered(this.#key, done.value);
      return this.#good();
    }
    if (done.error.code === 404) return DONE; // the namespace is not there
    const title = "The cluster's other nodes cannot be told of the gateways";
    const detail = `ConfigMap ${this.#key}: ${remedyOf(done.error)}`;
    troubles.set({ code: TROUBLE, severity: "warning", title, subject: "", detail });
    return { kind: "failed", afterMs: done.error.retryAfterMs ?? 0 };
  }

  #good(): Outcome {
    this.#options.troubles.clear(TROUBLE);
    return DONE;
  }
}

function remedyOf({ code, message }: ApiFault): string {
  return code === 403 ? `${message}: have the rights of deploy/kubernetes/rbac.yaml granted` : message;
}
