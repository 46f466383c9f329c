/** Severity: a critical trouble means that something users rely on does not work. */
export type Severity = "info" | "warning" | "critical";

/** Trouble is one thing that is wrong now. `code` is stable and machine-readable; `subject` tells troubles of one
 *  code apart (a file, a peer, a name); `detail` names place and remedy for a person. */
export interface Trouble {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  readonly subject: string;
  readonly detail: string;
}

/** Troubles is the register that status, /readyz, metrics and diagnose read. */
export class Troubles {
  readonly #present = new Map<string, Trouble>();
  readonly #onChange: (trouble: Trouble, present: boolean) => void;

  /** onChange hears of each trouble once when it begins or changes, and once when it ends: the daemon logs there. */
  constructor(onChange: (trouble: Trouble, present: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  set(trouble: Trouble): void {
    const key = keyOf(trouble.code, trouble.subject);
    const before = this.#present.get(key);
    this.#present.set(key, trouble);
    if (before?.detail !== trouble.detail || before.severity !== trouble.severity) this.#onChange(trouble, true);
  }

  clear(code: string, subject = ""): void {
    const key = keyOf(code, subject);
    const trouble = this.#present.get(key);
    if (trouble !== undefined && this.#present.delete(key)) this.#onChange(trouble, false);
  }

  /** replace makes `next` the only troubles of a code: for checks that see all of their subjects at once. */
  replace(code: string, next: readonly Trouble[]): void {
    const keep = new Set(next.map((trouble) => trouble.subject));
    for (const trouble of this.list()) {
      if (trouble.code === code && !keep.has(trouble.subject)) this.clear(code, trouble.subject);
    }
    for (const trouble of next) this.set(trouble);
  }

  /** list is all present troubles, the critical ones first. */
  list(): readonly Trouble[] {
    const rank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };
    return [...this.#present.values()].sort((a, b) => rank[a.severity] - rank[b.severity] || compare(a, b));
  }
}

function keyOf(code: string, subject: string): string {
  return `${code}\n${subject}`;
}

function compare(a: Trouble, b: Trouble): number {
  const [x, y] = [keyOf(a.code, a.subject), keyOf(b.code, b.subject)];
  return x < y ? -1 : x > y ? 1 : 0;
}
