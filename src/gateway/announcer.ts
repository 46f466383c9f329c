import type { KeyObject } from "node:crypto";
import { type Clock, Latest, type Log, type Room, wakeOrAfter } from "#life";
import type { SyncClient } from "#sync";
import { type Cidr, formatHostPort, type Ip, type TunnelKey } from "#values";
import { formatKey, type Member, seal } from "#wire";
import type { Cache } from "./cache.ts";
import type { Place } from "./compile-network.ts";
import type { GatewayOptions } from "./options.ts";

export interface AnnouncerParts {
  readonly options: GatewayOptions;
  readonly privateKey: KeyObject;
  readonly tunnelKey: TunnelKey;
  readonly cache: Cache;
  readonly client: Pick<SyncClient, "state" | "publish">;
  readonly clock: Clock;
  readonly log: Log;
  readonly member: () => Member | undefined;
  readonly place: () => Place | undefined;
  /** This node's address in its cluster's network; null without a data plane. */
  readonly local: () => Ip | null;
  readonly draining: () => boolean;
  /** Networks that are used here beside the pods: said where direct routing is offered. */
  readonly taken: readonly Cidr[];
  /** Where the broker saw us. */
  readonly seen: () => Ip | null;
}

const RETRY_MS = 1000;
const IDLE_MS = 60_000;

/** Announcer publishes this gateway's own record: how to reach it. Its order is (incarnation, seq); an incarnation is
 *  one run of the daemon, above every one on disk or known to the broker. */
export class Announcer implements Room {
  readonly name = "announcer";
  readonly #parts: AnnouncerParts;
  readonly #wake = new Latest(0);
  #incarnation = 0;
  #seq = 0;
  #said = "";
  readonly #saidMore = new Latest(0);

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  /** welcomed says the record again: the broker may be another one, or have forgotten. A broker that knows a higher
   *  incarnation heard another daemon of our name. */
  welcomed(incarnation: number): void {
    const { cache } = this.#parts;
    if (this.#incarnation === 0 || this.#incarnation < incarnation) {
      this.#incarnation = Math.max(incarnation, Number(cache.value("incarnation") ?? "0")) + 1;
      this.#seq = 0;
      cache.setValue("incarnation", String(this.#incarnation));
    }
    this.#said = "";
    this.changed();
  }

  /** said resolves once the broker has the record as it should be now; never, while the broker is away. */
  async said(): Promise<void> {
    this.changed();
    while (this.#said !== JSON.stringify(this.#body())) await this.#saidMore.changed();
  }

  changed(): void {
    this.#wake.set(this.#wake.value + 1);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = this.#wake.changed();
      const retry = await this.#announce();
      await wakeOrAfter(woken, this.#parts.clock, retry ? RETRY_MS : IDLE_MS, signal);
    }
  }

  /** True when it should be tried again soon. */
  async #announce(): Promise<boolean> {
    const { client, log, options, privateKey } = this.#parts;
    const body = this.#body();
    if (client.state !== "live" || body === undefined || this.#incarnation === 0) return client.state === "live";
    const text = JSON.stringify(body);
    if (text === this.#said) return false;
    this.#seq += 1;
    const key = formatKey({ kind: "gateway", cluster: options.cluster, name: options.name });
    const record = seal(privateKey, key, { epoch: this.#incarnation, seq: this.#seq }, body);
    const answer = await client.publish({ put: [record], remove: [] });
    if (answer.ok) {
      this.#said = text;
      this.#saidMore.set(this.#seq);
    } else log.debug("the gateway's record was not taken", { ...answer.error });
    return !answer.ok;
  }

  #body(): unknown {
    const { options, tunnelKey, member, place, local, draining, taken, seen } = this.#parts;
    const who = member()?.body;
    const where = place();
    const host = options.endpoint?.host ?? seen();
    if (who === undefined || where === undefined || host === null) return undefined;
    const base = options.endpoint?.port ?? options.listenPort;
    const { cluster, uid, generation } = who;
    return {
      cluster,
      uid,
      generation,
      name: options.name,
      index: where.index,
      tunnelKey,
      endpoints: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => formatHostPort({ host, port: base + index })),
      address: where.node,
      ...(local() === null ? {} : { local: local() }),
      ...(draining() ? { draining: true } : {}),
      ...(options.globalnet ? {} : { direct: { taken } }),
      version: options.version,
    };
  }
}
