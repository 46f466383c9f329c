/** How long an index is believed without asking again. */
const FRESH_MS = 1000;

/** LinkIndexes remembers the kernel's numbers of interfaces. A name gets another number when its interface is made anew,
 *  so each is asked for again every second, and after forget(). */
export class LinkIndexes {
  readonly #ask: (name: string) => number;
  readonly #known = new Map<string, { readonly index: number; readonly until: number }>();

  /** `ask` gives 0 where there is no such interface, as if_nametoindex does. */
  constructor(ask: (name: string) => number) {
    this.#ask = ask;
  }

  /** indexOf is undefined while there is no such interface. */
  indexOf(name: string, now: number): number | undefined {
    const known = this.#known.get(name);
    if (known !== undefined && now < known.until) return known.index === 0 ? undefined : known.index;
    const index = this.#ask(name);
    this.#known.set(name, { index, until: now + (index === 0 ? FRESH_MS / 10 : FRESH_MS) });
    return index === 0 ? undefined : index;
  }

  /** forget asks anew for all: a packet was refused. */
  forget(): void {
    this.#known.clear();
  }
}
