import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { DamagedStore } from "./sealed-table.ts";
import { faultOf, isBusy, isDamage } from "./sqlite-fault.ts";
import { temporaryFolder } from "./testbed.ts";

const thrown = (errcode: number): Error =>
  Object.assign(new Error("said SQLite"), { errcode, code: "ERR_SQLITE_ERROR" });

describe("faultOf()", () => {
  using folder = temporaryFolder();
  const dir = folder.path;

  test("takes a full disk for one that recovers", () => {
    expect(faultOf(thrown(13), dir)).toEqual({ code: "disk-full", message: `no space left for the store in ${dir}` });
  });

  test("finds the real error of a full database", () => {
    const db = new DatabaseSync(":memory:");
    db.exec("PRAGMA max_page_count = 3; CREATE TABLE t (a)");
    const fill = (): unknown => {
      try {
        for (;;) db.exec("INSERT INTO t VALUES (zeroblob(4000))");
      } catch (error) {
        return error;
      }
    };
    expect(faultOf(fill(), dir)?.code).toBe("disk-full");
  });

  test.each([
    ["fsync", 10 | (4 << 8)],
    ["fsync of the folder", 10 | (5 << 8)],
    ["write", 10 | (3 << 8)],
    ["read", 10 | (1 << 8)],
    ["corruption", 11],
    ["readonly", 8],
  ])("takes a failed %s for the end of the store", (_, code) => {
    expect(faultOf(thrown(code), "/")).toMatchObject({ code: "io", message: expect.stringContaining("said SQLite") });
  });

  test("takes damage for the end of the store, and anything else for a bug", () => {
    expect(faultOf(new DamagedStore("row"), dir)?.code).toBe("io");
    expect(faultOf(thrown(19), dir)).toBeUndefined();
    expect(faultOf(new TypeError("x"), dir)).toBeUndefined();
  });
});

test("isDamage() and isBusy() know their codes, with extensions too", () => {
  expect([11, 26, 11 | (1 << 8)].every((code) => isDamage(thrown(code)))).toBe(true);
  expect(isDamage(Object.assign(new Error("x"), { code: "ERR_OUT_OF_RANGE" }))).toBe(true);
  expect(isDamage(thrown(13))).toBe(false);
  expect([isBusy(thrown(5)), isBusy(thrown(5 | (2 << 8))), isBusy(thrown(6))]).toEqual([true, true, false]);
});
