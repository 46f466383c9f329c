import type { Severity, Troubles } from "#life";

const CODE = "record-refused";
/** Records that are shown one by one; a broker that sends ever new wrong ones must not fill our memory. */
const MOST = 100;
const OTHERS = "others";

/** RefusedRecords shows which records were not believed, up to a number, and how many more there were. */
export class RefusedRecords {
  readonly #troubles: Troubles;
  readonly #shown = new Set<string>();
  #more = 0;

  constructor(troubles: Troubles) {
    this.#troubles = troubles;
  }

  /** add shows a record; critical ones are shown although there are many, as long as there are not too many of them. */
  add(key: string, severity: Severity, title: string, detail: string): void {
    const subject = key.slice(0, 400);
    const most = severity === "critical" ? 2 * MOST : MOST;
    if (this.#shown.has(subject) || this.#shown.size < most) {
      this.#shown.add(subject);
      this.#troubles.set({ code: CODE, severity, title, subject, detail: detail.slice(0, 1000) });
      return;
    }
    this.#more += 1;
    const more = `${this.#more} further refusals: see those that are shown`;
    this.#troubles.set({ code: CODE, severity: "warning", title, subject: OTHERS, detail: more });
  }

  /** clear is for a good record in the place of a wrong one. */
  clear(key: string): void {
    if (this.#shown.delete(key)) this.#troubles.clear(CODE, key);
  }

  /** pardon is for a member that is gone: what was refused of it matters to nobody. */
  pardon(cluster: string): void {
    for (const key of [...this.#shown]) if (key.split("/")[1] === cluster) this.clear(key);
  }

  /** settled is for a first state that came whole: what was left out is not counted on. */
  settled(): void {
    this.#more = 0;
    this.#troubles.clear(CODE, OTHERS);
  }
}
