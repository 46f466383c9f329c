import type { Cidr } from "#values";
import type { ZoneChange } from "./zone.ts";
import type { ZoneBatch } from "./zone-batch.ts";

/** A batch holds services until their texts have so many characters: about 1 ms of work. */
const BATCH_CHARACTERS = 32_768;

interface Dirty {
  readonly namespace: string;
  readonly name: string;
  /** The update that first asked for this change. */
  readonly revision: number;
}

/** ZoneFeed holds the zone as it should be and what of it was not yet sent. Many changes of one service that wait
 *  together are one; a new reader of the feed gets everything again. */
export class ZoneFeed {
  /** Services as they are sent: a text takes a third of the memory that its objects do. */
  readonly #services = new Map<string, string>();
  /** In the order of their revisions: a Map keeps the order of insertion, and a key its first place. */
  readonly #dirty = new Map<string, Dirty>();
  #namespaces: readonly string[] = [];
  #reverse: readonly Cidr[] = [];
  /** Whether the reverse networks wait: they go before all else, since services are entered in them. */
  #reverseWaits = false;
  #synced = false;
  /** The update that first asked for namespaces or synced, while they wait. */
  #flags: number | undefined;
  #revision = 0;

  /** The number of the last update. */
  get revision(): number {
    return this.#revision;
  }

  /** note takes an update; what was noted and not taken of the same service is forgotten. */
  note(changes: readonly ZoneChange[]): void {
    this.#revision++;
    for (const change of changes) {
      if (change.kind === "namespaces" || change.kind === "synced") {
        if (change.kind === "namespaces") this.#namespaces = change.names;
        else this.#synced = change.synced;
        this.#flags ??= this.#revision;
        continue;
      }
      if (change.kind === "reverse") {
        this.#noteReverse(change.networks);
        continue;
      }
      const { namespace, name } = change.kind === "service" ? change.service : change;
      const key = `${namespace}/${name}`;
      if (change.kind === "service") this.#services.set(key, JSON.stringify(change.service));
      else this.#services.delete(key);
      if (!this.#dirty.has(key)) this.#dirty.set(key, { namespace, name, revision: this.#revision });
    }
  }

  /** Services with endpoints go again, to be entered in the new networks. */
  #noteReverse(networks: readonly Cidr[]): void {
    if (networks.join() === this.#reverse.join()) {
      this.#flags ??= this.#revision; // an update is applied when something was sent for it
      return;
    }
    this.#reverse = networks;
    this.#reverseWaits = true;
    for (const [key, text] of this.#services) if (!text.includes('"endpoints":[]')) this.#mark(key);
  }

  #mark(key: string): void {
    if (this.#dirty.has(key)) return;
    const [namespace = "", name = ""] = key.split("/");
    this.#dirty.set(key, { namespace, name, revision: this.#revision });
  }

  /** again marks everything unsent, for a zone that begins empty. */
  again(): void {
    this.#dirty.clear();
    this.#revision++;
    for (const key of this.#services.keys()) this.#mark(key);
    this.#flags = this.#revision;
    this.#reverseWaits = this.#reverse.length > 0;
  }

  /** take gives what to send next, and up to which update everything is then sent; undefined when nothing waits.
   *  Namespaces and `synced` go behind the changes that came before them: nothing is called absent too early. */
  take(sequence: number, serial: number): { readonly batch: ZoneBatch; readonly upTo: number } | undefined {
    if (this.#dirty.size === 0 && this.#flags === undefined && !this.#reverseWaits) return undefined;
    const services: string[] = [];
    const removed: { readonly namespace: string; readonly name: string }[] = [];
    let characters = 0;
    for (const [key, { namespace, name }] of this.#dirty) {
      if (characters >= BATCH_CHARACTERS) break;
      this.#dirty.delete(key);
      const service = this.#services.get(key);
      if (service === undefined) removed.push({ namespace, name });
      else services.push(service);
      characters += service?.length ?? key.length;
    }
    const batch = { kind: "batch", sequence, serial, services: `[${services.join()}]`, removed } as const;
    const reverse = this.#reverseWaits ? { reverse: this.#reverse } : {};
    this.#reverseWaits = false;
    return { batch: { ...batch, ...reverse, ...this.#takeFlags() }, upTo: this.#sentUpTo() };
  }

  #takeFlags(): { namespaces?: readonly string[]; synced?: boolean } {
    if (this.#flags === undefined || this.#oldest() <= this.#flags) return {};
    this.#flags = undefined;
    return { namespaces: this.#namespaces, synced: this.#synced };
  }

  /** The last update of which nothing waits any more. */
  #sentUpTo(): number {
    return Math.min(this.#oldest(), this.#flags ?? Number.POSITIVE_INFINITY, this.#revision + 1) - 1;
  }

  /** The update that the first waiting change came with. */
  #oldest(): number {
    const [first] = this.#dirty.values();
    return first?.revision ?? Number.POSITIVE_INFINITY;
  }
}
