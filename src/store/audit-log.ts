import type { DatabaseSync, StatementSync } from "node:sqlite";
import { err, ok, type Result, type Revision } from "#values";
import { CHAIN_START, follows, type Link, nextRow } from "./audit-chain.ts";
import { DamagedStore } from "./sealed-table.ts";
import type { AuditEntry, AuditRow } from "./store.ts";

/** Ends are the two ends of the part of the chain that is kept. */
export interface Ends {
  /** The link before the first row that is kept. */
  readonly anchor: Link;
  readonly last: Link;
}

export const NO_ROWS: Ends = { anchor: CHAIN_START, last: CHAIN_START };
const COLUMNS = "number, revision, time, actor, action, subject, outcome, detail, hash";
/** Rows are dropped so many at a time: one deletion for a thousand rows costs less than a thousand. */
const BLOCK = 1000;

/** AuditLog keeps the newest rows of the audit chain in an SQLite table. Its ends live in the store's state row. */
export class AuditLog {
  readonly #insert: StatementSync;
  readonly #since: StatementSync;
  readonly #hashOf: StatementSync;
  readonly #drop: StatementSync;
  readonly #keep: number;
  ends: Ends = NO_ROWS;

  constructor(db: DatabaseSync, keep: number) {
    this.#keep = keep;
    this.#insert = db.prepare(`INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#since = db.prepare(`SELECT ${COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?`);
    this.#hashOf = db.prepare("SELECT hash FROM audit WHERE number = ?");
    this.#drop = db.prepare("DELETE FROM audit WHERE number <= ?");
  }

  /** Adds a row to the end of the chain, and lets the oldest go where there are too many. */
  append(revision: Revision, entry: AuditEntry): void {
    const row = nextRow(this.ends.last, revision, entry);
    const { number, time, actor, action, subject, outcome, detail, hash } = row;
    this.#insert.run(number, revision, time, actor, action, subject, outcome, detail, hash);
    this.ends = { ...this.ends, last: { number, hash } };
    if (number - this.ends.anchor.number > this.#keep + BLOCK) this.#forgetUpTo(number - this.#keep);
  }

  /** after gives rows with a number above `since`, each checked against the one before it. */
  after(since: number, limit: number): readonly AuditRow[] {
    const from = Math.max(since, this.ends.anchor.number);
    if (from >= this.ends.last.number) return [];
    let before: Link = { number: from, hash: this.#hashAt(from) };
    const rows = this.#since.all(from, limit).map((row) => ({ ...row }) as unknown as AuditRow);
    for (const row of rows) {
      if (!follows(before, row))
        throw new DamagedStore(`audit row ${before.number + 1} does not follow the one before it`);
      before = row;
    }
    return rows;
  }

  /** verify walks the chain from end to end. */
  verify(): Result<number> {
    let before = this.ends.anchor;
    for (const raw of this.#since.iterate(-1, -1)) {
      const row = raw as unknown as AuditRow;
      if (!follows(before, row)) return err(`audit row ${before.number + 1} is missing or was changed`);
      before = { number: row.number, hash: row.hash };
    }
    const { number, hash } = this.ends.last;
    return before.number === number && before.hash === hash
      ? ok(number)
      : err(`the audit log ends at row ${before.number}, expected ${number}`);
  }

  /** The chain that is left starts at the anchor: the link of the last row that went. */
  #forgetUpTo(number: number): void {
    const anchor = { number, hash: this.#hashAt(number) };
    this.#drop.run(number);
    this.ends = { ...this.ends, anchor };
  }

  /** The anchor's row is gone: its hash is in the ends alone. */
  #hashAt(number: number): string {
    if (number === this.ends.anchor.number) return this.ends.anchor.hash;
    const row = this.#hashOf.get(number);
    if (row === undefined) throw new DamagedStore(`audit row ${number} is missing`);
    return String(row["hash"]);
  }
}
