import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";

export type Value = string | number | null;

/** Seal is what is known of a whole table from outside of it: how many rows, and the XOR of their checksums. A row that
 *  was lost, or came back from an older page, changes it. */
export interface Seal {
  readonly count: number;
  readonly digest: string;
}

export const EMPTY_SEAL: Seal = { count: 0, digest: "0".repeat(64) };

/** DamagedStore is thrown where the store's content contradicts its checksums: wrong data is never served. */
export class DamagedStore extends Error {
  override readonly name = "DamagedStore";
}

/** SealedTable is an SQLite table whose rows carry a checksum (SHA-256 of table and columns), checked at every read,
 *  and whose whole content is summed up in a seal. Rows are arrays in the order of the columns, the primary key
 *  first. Changes belong inside a transaction of the caller's. */
export class SealedTable {
  readonly name: string;
  readonly #select: StatementSync;
  readonly #sum: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #db: DatabaseSync;
  readonly #columns: string;
  readonly #keyColumns: number;
  #count = 0;
  #digest: Buffer = Buffer.alloc(32);

  constructor(db: DatabaseSync, name: string, columns: readonly string[], keyColumns = 1) {
    const keys = columns.slice(0, keyColumns);
    const where = keys.map((key) => `${key} = ?`).join(" AND ");
    const set = [...columns.slice(keyColumns), "sum"].map((column) => `${column} = excluded.${column}`).join(", ");
    const places = Array.from({ length: columns.length + 1 }, () => "?").join(", ");
    this.#db = db;
    this.name = name;
    this.#keyColumns = keyColumns;
    this.#columns = [...columns, "sum"].join(", ");
    this.#select = this.query(`WHERE ${where}`);
    this.#sum = db.prepare(`SELECT sum FROM ${name} WHERE ${where}`);
    this.#upsert = db.prepare(
      `INSERT INTO ${name} (${this.#columns}) VALUES (${places}) ON CONFLICT (${keys.join(", ")}) DO UPDATE SET ${set}`,
    );
    this.#delete = db.prepare(`DELETE FROM ${name} WHERE ${where}`);
  }

  /** query prepares a selection of whole rows, for read(). */
  query(tail: string): StatementSync {
    const statement = this.#db.prepare(`SELECT ${this.#columns} FROM ${this.name} ${tail}`);
    statement.setReturnArrays(true);
    return statement;
  }

  /** get reads one row by its key. */
  get(...key: readonly Value[]): readonly Value[] | null {
    const row = this.#select.get(...key) as unknown;
    return row === undefined ? null : this.#checked(row);
  }

  /** read runs a prepared query and gives its rows, each checked. */
  read(statement: StatementSync, ...values: readonly Value[]): (readonly Value[])[] {
    return statement.all(...values).map((row: unknown) => this.#checked(row));
  }

  /** put makes or replaces a row. The old checksum is asked for first: it has to leave the seal. */
  put(values: readonly Value[]): void {
    const row = values.map(storable);
    const before = this.#sum.get(...row.slice(0, this.#keyColumns))?.["sum"] as Uint8Array | undefined;
    const sum = sumOf(this.name, row);
    this.#upsert.run(...row, sum);
    if (before === undefined) this.#count += 1;
    else this.#mix(before);
    this.#mix(sum);
  }

  /** delete reports whether there was a row. */
  delete(...key: readonly Value[]): boolean {
    const before = this.#sum.get(...key)?.["sum"] as Uint8Array | undefined;
    if (before === undefined) return false;
    this.#delete.run(...key);
    this.#count -= 1;
    this.#mix(before);
    return true;
  }

  /** The seal of what the table holds now; set after a rollback, when the file went back and memory did not. */
  get seal(): Seal {
    return { count: this.#count, digest: this.#digest.toString("hex") };
  }

  set seal({ count, digest }: Seal) {
    this.#count = count;
    this.#digest = Buffer.from(digest, "hex");
  }

  /** verify reads every row and throws DamagedStore unless they add up to the expected seal. */
  verify(expected: Seal): void {
    this.seal = EMPTY_SEAL;
    for (const row of this.query("").iterate() as Iterable<unknown>) {
      this.#checked(row);
      this.#count += 1;
      this.#mix((row as unknown[]).at(-1) as Uint8Array);
    }
    const { count, digest } = this.seal;
    if (count !== expected.count || digest !== expected.digest) {
      throw new DamagedStore(`table ${this.name} has ${count} rows that do not add up, expected ${expected.count}`);
    }
  }

  /** Takes the checksum off a row that matches it. */
  #checked(raw: unknown): readonly Value[] {
    const row = (raw as (Value | Uint8Array)[]).slice(0, -1) as Value[];
    const sum = (raw as unknown[]).at(-1);
    if (!(sum instanceof Uint8Array) || !sumOf(this.name, row).equals(sum)) {
      throw new DamagedStore(`row ${JSON.stringify(row[0])} of table ${this.name} does not match its checksum`);
    }
    return row;
  }

  /** XOR is its own inverse: the same step adds a row and takes it away. */
  #mix(sum: Uint8Array): void {
    for (let i = 0; i < this.#digest.length; i += 1) this.#digest[i] = (this.#digest[i] ?? 0) ^ (sum[i] ?? 0);
  }
}

/** SQLite keeps text as UTF-8, which has no lone surrogates: they become U+FFFD here, as in everything that is signed
 *  or hashed, and not on the disk alone, where the row would then contradict its checksum. */
function storable(value: Value): Value {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** sumOf is the SHA-256 of a table's name and a row's columns as a JSON array. */
export function sumOf(table: string, row: readonly Value[]): Buffer {
  return hash("sha256", JSON.stringify([table, ...row]), "buffer");
}
