import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Revision, Signature } from "#values";
import type { Value } from "./sealed-table.ts";
import type { Changes, StoredRecord } from "./store.ts";
import type { State, StoreTables } from "./store-tables.ts";

/** recordOf reads a row of the table of records. */
export function recordOf([key, revision, epoch, seq, body, signature]: readonly Value[]): StoredRecord {
  const order = { epoch: Number(epoch), seq: Number(seq) };
  const envelope = { key: String(key), order, body: String(body), signature: signature as Signature | null };
  return { envelope, revision: Number(revision) as Revision };
}

/** ChangeLog answers what changed since a revision: from the revisions of the records that are, and from tombstones of
 *  those that were, of which it keeps the newest. There is no history of each record: a reader wants the newest state. */
export class ChangeLog {
  readonly #tables: StoreTables;
  readonly #keep: number;
  readonly #nth: StatementSync;
  readonly #puts: StatementSync;
  readonly #removals: StatementSync;
  readonly #oldest: StatementSync;

  constructor(db: DatabaseSync, tables: StoreTables, keep: number) {
    this.#tables = tables;
    this.#keep = keep;
    this.#nth = db.prepare(
      "SELECT revision FROM (SELECT revision FROM records WHERE revision > :since UNION ALL SELECT revision FROM tombstones WHERE revision > :since) ORDER BY revision LIMIT 1 OFFSET :skip",
    );
    const between = "WHERE revision > ? AND revision <= ? ORDER BY revision";
    this.#puts = tables.records.query(between);
    this.#removals = tables.tombstones.query(between);
    this.#oldest = tables.tombstones.query("ORDER BY revision LIMIT ?");
  }

  /** Every key at most once: a record has one revision, and a key with a tombstone has no record. */
  since(revision: Revision, limit?: number): Changes | "too-old" {
    const { floor, revision: newest } = this.#tables.state;
    // below the floor removals are forgotten; above the newest the cursor is of another store
    if (revision < floor || revision > newest) return "too-old";
    const through = limit === undefined ? newest : this.#through(revision, limit);
    const put = this.#tables.records.read(this.#puts, revision, through).map(recordOf);
    const removed = this.#tables.tombstones.read(this.#removals, revision, through).map(([key]) => String(key));
    return { put, removed, through: through as Revision };
  }

  /** prune drops the oldest tombstones beyond the number that is kept, and gives the floor that results. */
  prune(floor: number): State["floor"] {
    const surplus = this.#tables.tombstones.seal.count - this.#keep;
    if (surplus <= 0) return floor;
    let highest = floor;
    for (const [key = null, revision] of this.#tables.tombstones.read(this.#oldest, surplus)) {
      this.#tables.tombstones.delete(key);
      highest = Math.max(highest, Number(revision));
    }
    return highest;
  }

  /** The last revision that is whole within a limit; the first one is given whole even where it is larger. */
  #through(since: Revision, limit: number): number {
    const beyond = this.#revisionAt(since, limit);
    if (beyond === undefined) return this.#tables.state.revision;
    const first = this.#revisionAt(since, 0);
    return first === beyond ? beyond : beyond - 1;
  }

  /** The revision of the change that comes after `skip` others, in the order of revisions. */
  #revisionAt(since: Revision, skip: number): number | undefined {
    const row = this.#nth.get({ since, skip });
    return row === undefined ? undefined : Number(row["revision"]);
  }
}
