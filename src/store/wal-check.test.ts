import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "./testbed.ts";
import { walDamage } from "./wal-check.ts";

/** SQLite's own log of ten commits, and where its frames begin. */
let log: Buffer;
const FRAME = 24 + 4096;
const frameAt = (n: number): number => 32 + n * FRAME;

beforeAll(() => {
  using folder = temporaryFolder();
  const path = join(folder.path, "db");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a)");
  for (let n = 0; n < 9; n += 1) db.prepare("INSERT INTO t VALUES (?)").run("x".repeat(100));
  copyFileSync(`${path}-wal`, join(folder.path, "copy"));
  log = readFileSync(join(folder.path, "copy"));
  db.close();
});

function flipped(place: number): Buffer {
  const bytes = Buffer.from(log);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes;
}

describe("walDamage()", () => {
  test("finds nothing wrong with a log that SQLite wrote", () => {
    expect(log.length).toBeGreaterThanOrEqual(frameAt(10));
    expect(walDamage(log)).toBeUndefined();
  });

  test("forgives what a crash leaves: any length, an empty header, frames of an earlier round", () => {
    for (let length = 0; length < log.length; length += 997) expect(walDamage(log.subarray(0, length))).toBeUndefined();
    expect(walDamage(Buffer.alloc(10_000))).toBeUndefined();
    const older = Buffer.from(log);
    for (let n = 4; frameAt(n) < log.length; n += 1) older.writeUInt32BE(1, frameAt(n) + 8); // another salt
    expect(walDamage(older)).toBeUndefined();
  });

  test("forgives a last commit that is wrong: it may be the one that a crash interrupted", () => {
    const last = Math.floor((log.length - 32) / FRAME) - 1;
    expect(walDamage(flipped(frameAt(last) + 100))).toBeUndefined();
  });

  test.each([
    ["a page", 100],
    ["a page's number", 3],
    ["a salt", 9],
    ["a checksum", 17],
  ])("finds one bit flipped in %s when later commits would be lost", (_, offset) => {
    expect(walDamage(flipped(frameAt(2) + offset))).toMatch(
      /^frame 3 of \d+ is damaged and \d+ commits lie behind it$/,
    );
  });

  test("finds any bit flipped in the header, but in the counter of rounds no less", () => {
    for (let place = 0; place < 32; place += 1) expect(walDamage(flipped(place))).toBe("its header is damaged");
  });
});
