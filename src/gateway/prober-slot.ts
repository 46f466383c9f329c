import { aborted, type Clock, Latest, type Log, type Room, type Troubles } from "#life";
import { createProber, PROBE_PORT, type ProbeReport, type Prober, type ProbeTarget } from "#probe";
import type { ClusterId, Ip } from "#values";

export interface ProberSlotParts {
  /** Our own cluster: its gateways are probed as well, and are no peers. */
  readonly own: ClusterId;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly random: () => number;
  readonly onVerdict: (id: string, up: boolean) => void;
}

/** ProberSlot runs the prober as soon as this gateway knows its own global address, and another one when it changes. */
export class ProberSlot implements Room {
  readonly name = "prober";
  readonly #parts: ProberSlotParts;
  readonly #address = new Latest<Ip | null>(null);
  readonly #up = new Map<string, boolean>();
  #prober: Prober | null = null;
  #silent = false;
  #targets: readonly ProbeTarget[] = [];

  constructor(parts: ProberSlotParts) {
    this.#parts = parts;
  }

  get prober(): Prober | null {
    return this.#prober;
  }

  /** set tells our own address and whom to probe. A way that is no more, or became another, is as good as down. */
  set(address: Ip, targets: readonly ProbeTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.id, target]));
    const gone: string[] = [];
    for (const { id, address: there, interface: link } of this.#targets) {
      const next = wanted.get(id);
      if (next?.address === there && next.interface === link) continue;
      if (this.#up.get(id) === true) gone.push(id);
      this.#up.delete(id);
    }
    this.#targets = targets;
    if (this.#silent) return;
    if (this.#address.value === address) this.#prober?.setTargets(targets);
    else this.#address.set(address);
    for (const id of gone) this.#parts.onVerdict(id, false);
  }

  /** silence ends probing and answering for good. The verdicts stay as they are: peers are to think that this gateway is
   *  gone, and not this gateway that they are. */
  silence(): void {
    this.#silent = true;
    this.#address.set(null);
  }

  /** isUp is the verdict on a way; undefined before there was one. */
  isUp(id: string): boolean | undefined {
    return this.#up.get(id);
  }

  /** reaches reports whether any way to a member is up. */
  reaches(cluster: ClusterId): boolean {
    return [...this.#up].some(([id, up]) => up && id.startsWith(`${cluster}/`));
  }

  /** reports are those of the ways to other members. */
  reports(): readonly ProbeReport[] {
    return (this.#prober?.reports() ?? []).filter(({ id }) => !id.startsWith(`${this.#parts.own}/`));
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const changed = this.#address.changed();
      const address = this.#address.value;
      if (address === null) await Promise.race([changed, aborted(signal)]);
      else await this.#probe(address, changed, signal);
    }
  }

  async #probe(address: Ip, changed: Promise<void>, signal: AbortSignal): Promise<void> {
    const { onVerdict, ...parts } = this.#parts;
    const prober = createProber({ ...parts, address, port: PROBE_PORT });
    prober.onVerdict((id, up) => {
      this.#up.set(id, up);
      onVerdict(id, up);
    });
    prober.setTargets(this.#targets);
    this.#prober = prober;
    const stop = new AbortController();
    void changed.then(() => stop.abort());
    try {
      await prober.run(AbortSignal.any([signal, stop.signal]));
    } finally {
      this.#prober = null;
      if (!this.#silent) this.#up.clear();
    }
  }
}
