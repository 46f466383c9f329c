import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AuditLog, type Ends, NO_ROWS } from "./audit-log.ts";
import { DamagedStore, EMPTY_SEAL, type Seal, SealedTable, sumOf } from "./sealed-table.ts";

/** State is the one row that every commit writes: what the store is, and what all its tables add up to. A page that
 *  came back in an older version, or a row that vanished, contradicts it. */
export interface State {
  readonly id: string;
  readonly generation: number;
  readonly revision: number;
  /** Up to this revision removals are no longer known: changes since an earlier one cannot be told. */
  readonly floor: number;
  /** True in a copy that was made as a backup: whoever opens it as a store makes a new one of it. */
  readonly backup: boolean;
}

/** BLANK_STATE is that of a store before it has an id. */
export const BLANK_STATE: State = { id: "", generation: 0, revision: 0, floor: 0, backup: false };

/** StateBody is the row as it is written: the state, the audit log's ends and a seal for each table. */
interface StateBody extends State {
  readonly audit: Ends;
  readonly seals: Readonly<Record<string, Seal>>;
}

/** StoreTables is the store's tables with their seals. Whoever changes them does it inside a transaction, ends with
 *  save(), and calls reload() after a rollback. */
export class StoreTables {
  readonly meta: SealedTable;
  readonly records: SealedTable;
  readonly tombstones: SealedTable;
  readonly allocations: SealedTable;
  readonly speakers: SealedTable;
  readonly invites: SealedTable;
  readonly redemptions: SealedTable;
  readonly answers: SealedTable;
  readonly audit: AuditLog;
  readonly #all: readonly SealedTable[];
  readonly #write: StatementSync;
  readonly #read: StatementSync;
  #saved: StateBody;

  constructor(db: DatabaseSync, auditKeep: number) {
    this.meta = new SealedTable(db, "meta", ["key", "value"]);
    this.records = new SealedTable(db, "records", ["key", "revision", "epoch", "seq", "body", "signature"]);
    this.tombstones = new SealedTable(db, "tombstones", ["key", "revision"]);
    this.allocations = new SealedTable(db, "allocations", ["prefix", "body"]);
    this.speakers = new SealedTable(db, "speakers", ["cluster", "epoch", "gateway"]);
    this.invites = new SealedTable(db, "invites", ["id", "body"]);
    this.redemptions = new SealedTable(db, "redemptions", ["invite", "key", "cluster", "uid", "at"], 2);
    this.answers = new SealedTable(db, "answers", ["key", "request_hash", "status", "body", "expires_at"]);
    this.#all = [
      this.meta,
      this.records,
      this.tombstones,
      this.allocations,
      this.speakers,
      this.invites,
      this.redemptions,
      this.answers,
    ];
    this.audit = new AuditLog(db, auditKeep);
    this.#write = db.prepare("INSERT OR REPLACE INTO state (id, body, sum) VALUES (0, ?, ?)");
    this.#read = db.prepare("SELECT id, body, sum FROM state");
    this.#saved = { ...BLANK_STATE, audit: NO_ROWS, seals: {} };
  }

  /** The state as it was last saved or loaded. */
  get state(): State {
    return this.#saved;
  }

  /** save writes the state row for what the tables hold now, and keeps it as the one to reload. It gives back a way
   *  to forget that, for a commit that then fails. */
  save(state: State): () => void {
    const before = this.#saved;
    const seals = Object.fromEntries(this.#all.map((table) => [table.name, table.seal]));
    const { id, generation, revision, floor, backup } = state;
    this.#saved = { id, generation, revision, floor, backup, audit: this.audit.ends, seals };
    const body = JSON.stringify(this.#saved);
    this.#write.run(body, sumOf("state", [body]));
    return () => {
      this.#saved = before;
    };
  }

  /** reload takes seals and audit chain back to the last saved state, after a rollback. */
  reload(): void {
    for (const table of this.#all) table.seal = this.#saved.seals[table.name] ?? EMPTY_SEAL;
    this.audit.ends = this.#saved.audit;
  }

  /** verify reads the whole store, and throws DamagedStore where anything contradicts a checksum. */
  verify(): void {
    const rows = this.#read.all();
    const { body, sum } = rows[0] ?? {};
    const good = typeof body === "string" && sum instanceof Uint8Array && sumOf("state", [body]).equals(sum);
    if (rows.length !== 1 || !good) throw new DamagedStore("the state row does not match its checksum");
    this.#saved = JSON.parse(body) as StateBody;
    for (const table of this.#all) table.verify(this.#saved.seals[table.name] ?? EMPTY_SEAL);
    this.audit.ends = this.#saved.audit;
    const chain = this.audit.verify();
    if (!chain.ok) throw new DamagedStore(chain.error);
  }
}
