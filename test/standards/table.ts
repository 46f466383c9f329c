/** Row is one demand of a standard that at least one test carries in its name, as `[3.1-srv]`. */
export interface Row {
  /** The table's id, a dash, and what tells the row from its neighbours. It never changes once a test has it. */
  readonly id: string;
  /** What is demanded, in one line. */
  readonly text: string;
}

/** Table is what belongs together in a standard, or in the behaviour of a program that others rely on. */
export interface Table {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** table makes a table of rows given by what follows the table's id: `{ srv: "…" }` is the row `3.1-srv`. */
export function table(id: string, title: string, rows: Readonly<Record<string, string>>): Table {
  return { id, title, rows: Object.entries(rows).map(([name, text]) => ({ id: `${id}-${name}`, text })) };
}
