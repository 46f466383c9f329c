import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { overlaps, parseCidr, expect as right } from "#values";
import { digestOf, type Envelope } from "#wire";
import { CHAIN_START, follows } from "../../src/store/audit-chain.ts";
import type { AuditRow } from "../../src/store/store.ts";

/** StoreLog is what a broker has on its disk, read beside it from copies of its files. */
export interface StoreLog {
  readonly revision: number;
  readonly records: readonly Envelope[];
  readonly allocations: readonly Allocation[];
  readonly audit: readonly AuditRow[];
}

interface Allocation {
  readonly prefix: string;
  readonly kind: string;
  readonly uid: string | null;
  readonly cluster: string | null;
  readonly state: string;
}

/** readStore copies database and log and opens the copies: the broker holds its own files for itself. A checkpoint in
 *  between would tear the pair, so the copy is checked, and made again where it is torn. */
export function readStore(data: string): StoreLog {
  for (let tries = 0; ; tries += 1) {
    const dir = mkdtempSync(join(tmpdir(), "meridian-store-copy-"));
    try {
      for (const name of ["store.db", "store.db-wal"]) {
        if (existsSync(join(data, name))) copyFileSync(join(data, name), join(dir, name));
      }
      return readCopy(join(dir, "store.db"));
    } catch (error) {
      if (tries === 5) throw error;
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
}

function readCopy(path: string): StoreLog {
  const db = new DatabaseSync(path);
  try {
    const check = db.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
    if (check !== "ok") throw new Error(`the copy is torn: ${String(check)}`);
    const state = JSON.parse(String(db.prepare("SELECT body FROM state").get()?.["body"])) as { revision: number };
    const records = db.prepare("SELECT key, epoch, seq, body, signature FROM records").all();
    const allocations = db.prepare("SELECT body FROM allocations").all();
    return {
      revision: state.revision,
      records: records.map(({ key, epoch, seq, body, signature }) => {
        return { key, order: { epoch, seq }, body, signature } as unknown as Envelope;
      }),
      allocations: allocations.map(({ body }) => JSON.parse(String(body)) as Allocation),
      audit: db.prepare("SELECT * FROM audit ORDER BY number").all() as unknown as AuditRow[],
    };
  } finally {
    db.close();
  }
}

/** overlapsIn lists live allocations of different owners that share addresses, and those outside the pool (N2). */
export function overlapsIn({ allocations }: Pick<StoreLog, "allocations">, supernet: string): readonly string[] {
  const live = allocations
    .filter(({ state }) => state === "live")
    .map((a) => ({ ...a, cidr: right(parseCidr(a.prefix)) }));
  const shared = live.flatMap((a, i) =>
    live
      .slice(i + 1)
      .flatMap((b) =>
        overlaps(a.cidr, b.cidr) ? [`${a.prefix} of ${a.cluster} and ${b.prefix} of ${b.cluster}`] : [],
      ),
  );
  const pool = right(parseCidr(supernet));
  return [...shared, ...live.filter(({ cidr }) => !overlaps(pool, cidr)).map(({ prefix }) => `${prefix} is outside`)];
}

/** brokenAt is the first audit row that does not follow the one before it; undefined where the chain is whole (N7). */
export function brokenAt({ audit }: Pick<StoreLog, "audit">): number | undefined {
  let before = CHAIN_START;
  for (const row of audit) {
    if (!follows(before, row)) return row.number;
    before = { number: row.number, hash: row.hash };
  }
  return undefined;
}

/** linesOf is every record as one line: key, order, digest. */
export function linesOf(records: readonly Envelope[]): readonly string[] {
  return records
    .map((envelope) => `${envelope.key} ${envelope.order.epoch}.${envelope.order.seq} ${digestOf(envelope)}`)
    .sort();
}
