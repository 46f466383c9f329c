import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, test } from "vitest";
import { MAX_UNSYNCED } from "./log-sync.ts";
import { temporaryFolder } from "./testbed.ts";
import { walDamage } from "./wal-check.ts";

/** SQLite's own log of ten commits, and where its frames begin. */
let log: Buffer;
const FRAME = 24 + 4096;
const frameAt = (n: number): number => 32 + n * FRAME;

beforeAll(() => {
  using folder = temporaryFolder();
  log = sqliteLog(join(folder.path, "db"), 10);
});

function sqliteLog(path: string, commits: number): Buffer {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a)");
  for (let n = 1; n < commits; n += 1) db.prepare("INSERT INTO t VALUES (?)").run("x".repeat(100));
  const written = readFileSync(`${path}-wal`);
  db.close();
  return written;
}

/** What a store notes when all ten commits were synced. */
const synced = () => ({ salts: log.subarray(16, 24), frames: Math.floor((log.length - 32) / FRAME) });

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

  test("forgives commits that are wrong, as a power failure may leave those that were not synced", () => {
    const last = Math.floor((log.length - 32) / FRAME) - 1;
    for (const n of [1, last]) expect(walDamage(flipped(frameAt(n) + 100))).toBeUndefined();
    expect(walDamage(flipped(frameAt(5)), { ...synced(), frames: 5 })).toBeUndefined();
  });

  test("finds what was on the disk and is wrong or missing, also in the last commit", () => {
    expect(walDamage(log, synced())).toBeUndefined();
    const { frames } = synced();
    const said = `frame ${frames} is damaged or missing, and ${frames} were on the disk`;
    expect(walDamage(flipped(frameAt(frames - 1) + 100), synced())).toBe(said);
    expect(walDamage(log.subarray(0, frameAt(frames) - 1), synced())).toBe(said);
  });

  /** The mark of a round so many before this log's. */
  const ofRound = (rounds: number, frames: number) => {
    const salts = Buffer.from(synced().salts);
    salts.writeUInt32BE((salts.readUInt32BE(0) - rounds) >>> 0, 0);
    salts[7] = (salts[7] ?? 0) ^ 1; // the second salt is drawn anew in each round
    return { salts, frames };
  };

  test("does not believe the mark of an earlier round: the log has begun anew since", () => {
    for (const rounds of [1, 2, 1000]) expect(walDamage(log, ofRound(rounds, 1000))).toBeUndefined();
  });

  test("F23 finds that a log is not the one that was written last, but of an earlier round or another life", () => {
    for (const rounds of [-1, -1000, 1 << 30])
      expect(walDamage(log, ofRound(rounds, 1))).toMatch(/^it is an older one/);
    expect(walDamage(log, ofRound(1 << 30, 0))).toBeUndefined(); // which claims nothing
  });

  test("without a mark, finds a wrong frame when more commits lie behind it than can be on their way", () => {
    using folder = temporaryFolder();
    const long = sqliteLog(join(folder.path, "db"), MAX_UNSYNCED + 5);
    long[frameAt(2) + 100] = (long[frameAt(2) + 100] ?? 0) ^ 1;
    expect(walDamage(long)).toMatch(/^frame 3 of \d+ is damaged and \d+ commits lie behind it$/);
  });

  test.each([
    ["a page", 100],
    ["a page's number", 3],
    ["a salt", 9],
    ["a checksum", 17],
  ])("finds one bit flipped in %s", (_, offset) => {
    const said = `frame 3 is damaged or missing, and ${synced().frames} were on the disk`;
    expect(walDamage(flipped(frameAt(2) + offset), synced())).toBe(said);
  });

  test("finds any bit flipped in the header, but in the counter of rounds no less", () => {
    for (let place = 0; place < 32; place += 1) expect(walDamage(flipped(place))).toBe("its header is damaged");
  });
});
