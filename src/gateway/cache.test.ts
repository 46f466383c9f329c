import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Revision } from "#values";
import type { Envelope } from "#wire";
import { type Cache, mergeChanges, openCache } from "./cache.ts";
import { dataDir, STORE, TestMember } from "./testbed.ts";

const member = new TestMember("amber", 1);
const [one, two] = [member.gateway(), member.gateway({}, { epoch: 1, seq: 2 })];
const nodes: Envelope = { key: "nodes/amber", order: { epoch: 1, seq: 1 }, body: "{}", signature: null };

let dir: string;
let cache: Cache;
const open = (): Cache => {
  const opened = openCache(dir);
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
};
/** spoil changes the file behind the cache's back. */
const spoil = (sql: string): void => {
  cache.close();
  const db = new DatabaseSync(join(dir, "cache.db"));
  db.exec(sql);
  db.close();
};

beforeEach(() => {
  dir = dataDir();
  cache = open();
});
afterEach(() => {
  cache.close();
  rmSync(dir, { recursive: true });
});

describe("Cache", () => {
  test("gives back after a restart what was written, with the cursor", async () => {
    const cursor = { store: STORE, revision: 7 as Revision };
    await cache.write({ put: [one, nodes], removed: [], cursor });
    cache.close();
    cache = open();
    expect([...cache.records()]).toEqual([one, nodes]);
    expect(cache.loaded()).toEqual({ cursor, damaged: 0 });
  });

  test("a newer record takes the place of an older one, and a removal its place away", async () => {
    await cache.write({ put: [one, nodes], removed: [] });
    await cache.write({ put: [two], removed: [nodes.key] });
    expect([...cache.records()]).toEqual([two]);
  });

  test("a record that went and came again in one change stays", async () => {
    await cache.write({ put: [one], removed: [] });
    await cache.write({ put: [two], removed: [one.key] });
    expect([...cache.records()]).toEqual([two]);
  });

  test("without a cursor in a change the one before stays", async () => {
    const cursor = { store: STORE, revision: 7 as Revision };
    await cache.write({ put: [], removed: [], cursor });
    await cache.write({ put: [one], removed: [] });
    expect(cache.loaded().cursor).toEqual(cursor);
  });

  test("values are kept by name", () => {
    expect(cache.value("incarnation")).toBeNull();
    cache.setValue("incarnation", "3");
    cache.close();
    cache = open();
    expect(cache.value("incarnation")).toBe("3");
  });

  test.each([
    ["body", "UPDATE records SET body = body || ' ' WHERE key LIKE 'gateway/%'"],
    ["order", "UPDATE records SET seq = seq + 1 WHERE key LIKE 'gateway/%'"],
    ["key", "UPDATE records SET key = 'gateway/amber/other' WHERE key LIKE 'gateway/%'"],
    ["signature", "UPDATE records SET signature = NULL WHERE key LIKE 'gateway/%'"],
  ])("a row whose %s was damaged is dropped, and everything is asked for again", async (_, sql) => {
    await cache.write({ put: [one, nodes], removed: [], cursor: { store: STORE, revision: 7 as Revision } });
    spoil(sql);
    cache = open();
    expect([...cache.records()]).toEqual([nodes]);
    expect(cache.loaded()).toEqual({ cursor: null, damaged: 1 });
    expect([...cache.records()]).toEqual([nodes]);
    expect(cache.loaded().damaged).toBe(0);
  });

  test("a write that failed holds up none after it", async () => {
    const bad = { ...one, body: Symbol("no text") as unknown as string };
    await expect(cache.write({ put: [nodes, bad], removed: [] })).rejects.toThrow(/./);
    expect([...cache.records()]).toEqual([]);
    await cache.write({ put: [one], removed: [] });
    expect([...cache.records()]).toEqual([one]);
  });

  test("writes wait for each other", async () => {
    const many = Array.from({ length: 3000 }, (_, at) => ({ ...nodes, key: `nodes/n${at}` }));
    await Promise.all([cache.write({ put: many, removed: [] }), cache.write({ put: [], removed: ["nodes/n2999"] })]);
    expect([...cache.records()]).toHaveLength(2999);
  });
});

describe("openCache()", () => {
  test("refuses a file of a newer version, and says what to do", () => {
    spoil("PRAGMA user_version = 99");
    const opened = openCache(dir);
    expect(opened.ok ? "" : opened.error).toMatch(/cache\.db was written by a newer version: remove it/);
    expect(existsSync(join(dir, "cache.db.damaged"))).toBe(false);
  });

  test.each([
    ["text", "this is no database, and longer than the header of one: ".repeat(20)],
    ["a database with a torn page", null],
  ])("puts %s aside and begins anew", async (_, text) => {
    const many = Array.from({ length: 2000 }, (__, at) => ({ ...nodes, key: `nodes/n${at}` }));
    await cache.write({ put: many, removed: [] });
    cache.close();
    const path = join(dir, "cache.db");
    if (text !== null) writeFileSync(path, text);
    else tear(path);
    cache = open();
    expect([...cache.records()]).toEqual([]);
    expect(cache.loaded().cursor).toBeNull();
    expect(existsSync(`${path}.damaged`)).toBe(true);
    await cache.write({ put: [one], removed: [] });
    expect([...cache.records()]).toEqual([one]);
  });

  test("names the path where there is no folder", () => {
    const opened = openCache(join(dir, "none"));
    expect(opened.ok ? "" : opened.error).toContain("none/cache.db");
  });
});

/** tear overwrites pages in the middle of a database. */
function tear(path: string): void {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xee, 8192, bytes.length - 4096);
  writeFileSync(path, bytes);
}

describe("mergeChanges()", () => {
  test("does what both do, one after the other", () => {
    const first = { put: [one, nodes], removed: ["a"] };
    expect(mergeChanges(first, { put: [two], removed: [nodes.key] })).toEqual({
      put: [two],
      removed: ["a", nodes.key],
    });
    expect(mergeChanges({ put: [], removed: [one.key] }, { put: [one], removed: [] })).toEqual({
      put: [one],
      removed: [one.key],
    });
  });
});
