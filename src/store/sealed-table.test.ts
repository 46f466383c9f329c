import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { DamagedStore, EMPTY_SEAL, SealedTable } from "./sealed-table.ts";

let db: DatabaseSync;
let table: SealedTable;
beforeEach(() => {
  db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE t (a TEXT, b INTEGER, c TEXT, sum BLOB, PRIMARY KEY (a, b)) STRICT");
  table = new SealedTable(db, "t", ["a", "b", "c"], 2);
});

describe("SealedTable", () => {
  test("keeps rows by their key", () => {
    table.put(["x", 1, "one"]);
    table.put(["x", 2, null]);
    table.put(["x", 1, "new"]);
    expect(table.get("x", 1)).toEqual(["x", 1, "new"]);
    expect(table.get("x", 2)).toEqual(["x", 2, null]);
    expect(table.get("x", 3)).toBeNull();
    expect(table.read(table.query("ORDER BY b DESC"))).toEqual([
      ["x", 2, null],
      ["x", 1, "new"],
    ]);
    expect([table.delete("x", 1), table.delete("x", 1), table.seal.count]).toEqual([true, false, 1]);
  });

  test.each(["c = 'other'", "c = NULL", "b = 5", "sum = zeroblob(32)", "sum = NULL"])(
    "throws at a row where %s was set",
    (set) => {
      table.put(["x", 1, "one"]);
      db.exec(`UPDATE t SET ${set}`);
      expect(() => table.read(table.query(""))).toThrow(DamagedStore);
      expect(() => table.read(table.query(""))).toThrow('row "x" of table t does not match its checksum');
    },
  );

  test("throws at a row that is another table's", () => {
    db.exec("CREATE TABLE u (a TEXT, b INTEGER, c TEXT, sum BLOB, PRIMARY KEY (a, b)) STRICT");
    table.put(["x", 1, "one"]);
    db.exec("INSERT INTO u SELECT * FROM t");
    expect(() => new SealedTable(db, "u", ["a", "b", "c"], 2).get("x", 1)).toThrow(DamagedStore);
  });

  test("has one seal for one content, however it came about", () => {
    const row = fc.tuple(fc.constantFrom("x", "y"), fc.nat(3), fc.constantFrom("1", "2"));
    fc.assert(
      fc.property(fc.array(fc.tuple(row, fc.boolean())), (steps) => {
        db.exec("DELETE FROM t");
        table.seal = EMPTY_SEAL;
        const model = new Map<string, readonly (string | number)[]>();
        for (const [values, remove] of steps) {
          const key = `${values[0]} ${values[1]}`;
          if (remove) table.delete(values[0], values[1]);
          else table.put(values);
          if (remove) model.delete(key);
          else model.set(key, values);
        }
        const { seal } = table;
        expect(seal.count).toBe(model.size);
        table.verify(seal);
        db.exec("DELETE FROM t");
        table.seal = EMPTY_SEAL;
        for (const values of model.values()) table.put(values);
        expect(table.seal).toEqual(seal);
      }),
    );
  });

  test("verify() throws when a row is missing or too many, though each is right", () => {
    table.put(["x", 1, "one"]);
    const { seal } = table;
    table.put(["x", 2, "two"]);
    expect(() => table.verify(seal)).toThrow("table t has 2 rows that do not add up, expected 1");
    db.exec("DELETE FROM t");
    expect(() => table.verify(seal)).toThrow(DamagedStore);
  });
});
