import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { millis, type Revision } from "#values";
import { AuditLog } from "./audit-log.ts";
import { createSchema } from "./schema.ts";
import { DamagedStore } from "./sealed-table.ts";
import { entry } from "./trial.ts";

let db: DatabaseSync;
let log: AuditLog;
beforeEach(() => {
  db = new DatabaseSync(":memory:");
  createSchema(db);
  log = new AuditLog(db, 10);
  for (const subject of ["a", "b", "c", "d"]) log.append(1 as Revision, entry(subject));
});

describe("AuditLog", () => {
  test("gives rows above a number, checked against the one before", () => {
    expect(log.after(1, 2).map(({ number, subject }) => [number, subject])).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
    expect(log.after(4, 10)).toEqual([]);
  });

  test.each(["actor", "subject", "detail", "outcome"])("throws where %s of a row was changed", (column) => {
    db.exec(`UPDATE audit SET ${column} = 'other' WHERE number = 3`);
    expect(() => log.after(0, 10)).toThrow(DamagedStore);
    expect(log.verify()).toEqual({ ok: false, error: "audit row 3 is missing or was changed" });
    expect(log.after(0, 2)).toHaveLength(2);
  });

  test("notices that its last rows are gone, and that the chain was made anew", () => {
    const { ends } = log;
    db.exec("DELETE FROM audit WHERE number = 4");
    expect(log.verify()).toEqual({ ok: false, error: "the audit log ends at row 3, expected 4" });
    db.exec("DELETE FROM audit");
    const forged = new AuditLog(db, 10);
    for (const subject of ["a", "b", "X", "d"]) forged.append(1 as Revision, { ...entry(subject), time: millis(1) });
    forged.ends = ends;
    expect(forged.verify().ok).toBe(false);
  });

  test("lets the oldest go in blocks and keeps the chain from there on", () => {
    for (let n = 5; n <= 1011; n += 1) log.append(1 as Revision, entry(String(n)));
    expect(log.ends.anchor.number).toBe(1001);
    expect(log.verify()).toEqual({ ok: true, value: 1011 });
    expect(log.after(0, 5000).map(({ number }) => number)).toEqual([
      1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011,
    ]);
  });
});
