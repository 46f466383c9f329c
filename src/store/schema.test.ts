import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { APPLICATION_ID, checkSchema, createSchema, isBlank, SCHEMA_VERSION } from "./schema.ts";

function withSchema(sql = ""): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  createSchema(db);
  db.exec(sql);
  return db;
}

describe("checkSchema()", () => {
  test("accepts what createSchema() makes", () => {
    expect(checkSchema(withSchema()).ok).toBe(true);
  });

  test("tells a newer schema, an unknown one, a damaged one and another program's apart", () => {
    const errorOf = (sql: string): string => JSON.stringify(checkSchema(withSchema(sql)));
    expect(errorOf(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)).toContain("use the newer program");
    expect(errorOf("PRAGMA user_version = -1")).toContain("no Meridian ever had");
    expect(errorOf("PRAGMA application_id = 1")).toContain("not a store of Meridian");
    expect(errorOf("ALTER TABLE meta ADD COLUMN more TEXT")).toContain("damaged schema");
  });
});

describe("isBlank()", () => {
  test("is true only where nothing was ever begun", () => {
    const db = new DatabaseSync(":memory:");
    expect(isBlank(db)).toBe(true);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    expect(isBlank(db)).toBe(false);
    expect(isBlank(withSchema())).toBe(false);
  });
});
