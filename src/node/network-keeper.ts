import { join } from "node:path";
import { type NetworkDocument, parseNetwork } from "#kube";
import { type Clock, Latest, type Log, readIfThere, type Troubles, writeDurably } from "#life";

export interface NetworkKeeperOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
}

/** NetworkKeeper holds what the gateways told last, on disk as well: a node that starts while nobody can be asked goes on
 *  as it was. What cannot be read changes nothing. */
export class NetworkKeeper {
  readonly #options: NetworkKeeperOptions;
  readonly #path: string;
  readonly #current = new Latest<NetworkDocument | null>(null);
  #text = "";
  /** Monotonic; null while all that is known is from an earlier start. */
  #heardAt: number | null = null;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: NetworkKeeperOptions) {
    this.#options = options;
    this.#path = join(options.dataDir, "network.json");
  }

  get current(): NetworkDocument | null {
    return this.#current.value;
  }

  changed(): Promise<void> {
    return this.#current.changed();
  }

  /** ageSeconds since the gateways were heard, by this start; null before. */
  get ageSeconds(): number | null {
    return this.#heardAt === null ? null : (this.#options.clock.monotonic() - this.#heardAt) / 1000;
  }

  /** load takes what an earlier start kept. */
  async load(): Promise<void> {
    const kept = await readIfThere(this.#path);
    if (kept.ok && kept.value !== null) this.#take(kept.value);
  }

  heard(text: string): void {
    this.#heardAt = this.#options.clock.monotonic();
    if (text === this.#text || !this.#take(text)) return;
    const { log } = this.#options;
    this.#writing = this.#writing.then(async () => {
      const done = await writeDurably(this.#path, text);
      if (!done.ok) log.warn("the network was not kept on disk", { error: done.error });
    });
  }

  /** settled resolves when all that was heard is on disk. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #take(text: string): boolean {
    const { troubles } = this.#options;
    const parsed = parseNetwork(text);
    if (!parsed.ok) {
      const title = "What the gateways say of the network cannot be read";
      const detail = `${parsed.error}: what was last known stays in force; give gateways and nodes the same version`;
      troubles.set({ code: "network-refused", severity: "warning", title, subject: "", detail });
      return false;
    }
    troubles.clear("network-refused");
    this.#text = text;
    this.#current.set(parsed.value);
    return true;
  }
}
