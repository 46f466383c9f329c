import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { expect as must } from "#values";
import { lockDataDir } from "./data-lock.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import type { Store } from "./store.ts";
import { readMark } from "./synced-mark.ts";
import { openStore, record, runWriter, temporaryFolder, wrongAfter } from "./testbed.ts";

function errorOf(dir: string): string {
  const result = openStore(dir);
  if (!result.ok) return result.error;
  result.value.close();
  return "none";
}

/** edit changes a closed store behind its back, as a wrong program would. */
function edit(dir: string, sql: string): void {
  const db = new DatabaseSync(join(dir, "store.db"));
  db.exec(sql);
  db.close();
}

/** A small store with something in every kind of table. */
function makeStore(dir: string): void {
  const store = must(openStore(dir));
  const audit = ["a", "b", "c"].map((subject) => ({
    time: store.revision() as never,
    actor: "x",
    action: "y",
    subject,
    outcome: "done" as const,
    detail: "",
  }));
  store.commit({ put: [record("k1"), record("k2"), record("k3")], audit, meta: { supernet: "242.0.0.0/8" } });
  store.commit({ remove: ["k3"] });
  store.close();
}

describe("openSqliteStore()", () => {
  test("F21 refuses a second store on the same folder, with the number of the first's process", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    expect(errorOf(folder.path)).toBe(`another meridian (pid ${process.pid}) holds ${folder.path}`);
    store.close();
    expect(errorOf(folder.path)).toBe("none");
  });

  test("works under a lock that the caller holds, and leaves it to the caller", () => {
    using folder = temporaryFolder();
    using lock = must(lockDataDir(folder.path));
    must(openStore(folder.path, { lock } as object)).close();
    expect(errorOf(folder.path)).toContain("another meridian");
  });

  test("gives the lock back when it refuses", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "store.db"), "this is not a database, but it is long enough to be one".repeat(100));
    expect(errorOf(folder.path)).toContain(`${join(folder.path, "store.db")} has a damaged header`);
    using lock = must(lockDataDir(folder.path));
    expect(lock.dir).toBe(folder.path);
  });

  test("takes an empty file for a first start that was cut short", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "store.db"), "");
    expect(errorOf(folder.path)).toBe("none");
  });

  test("F23 refuses a newer schema, and says how to go on", () => {
    using folder = temporaryFolder();
    makeStore(folder.path);
    edit(folder.path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    expect(errorOf(folder.path)).toBe(
      `${join(folder.path, "store.db")} has schema 2, this program reads up to 1: use the newer program that wrote it, or restore a backup made before the upgrade`,
    );
  });

  test("refuses a schema that never was, and another program's database", () => {
    using folder = temporaryFolder();
    makeStore(folder.path);
    edit(folder.path, "PRAGMA user_version = 0");
    expect(errorOf(folder.path)).toContain("has schema 0, which no Meridian ever had");
    rmSync(join(folder.path, "store.db"));
    edit(folder.path, "CREATE TABLE t (a)");
    expect(errorOf(folder.path)).toContain("is not a store of Meridian");
  });

  test.each([
    ["UPDATE records SET body = '{}' WHERE key = 'k1'", 'row "k1" of table records'],
    ["UPDATE records SET revision = 2 WHERE key = 'k1'", 'row "k1" of table records'],
    ["UPDATE meta SET value = '10.0.0.0/8'", 'row "supernet" of table meta'],
    ["DELETE FROM records WHERE key = 'k2'", "table records has 1 rows that do not add up, expected 2"],
    ["UPDATE state SET body = replace(body, '\"revision\":2', '\"revision\":1')", "the state row"],
    ["DELETE FROM state", "the state row"],
    ["UPDATE audit SET subject = 'z' WHERE number = 2", "audit row 2 is missing or was changed"],
    ["DELETE FROM audit WHERE number = 1", "audit row 1 is missing or was changed"],
    ["DELETE FROM audit WHERE number = 3", "the audit log ends at row 2, expected 3"],
    ["CREATE TABLE more (a)", "has a damaged schema"],
    ["DROP INDEX records_by_revision", "has a damaged schema"],
  ])("refuses after `%s`, naming the place and the remedy", (sql, place) => {
    using folder = temporaryFolder();
    makeStore(folder.path);
    edit(folder.path, sql);
    expect(errorOf(folder.path)).toContain(place);
    expect(errorOf(folder.path)).toContain("restore a backup");
  });

  test("refuses a row taken back to an older version of itself, which has a good checksum", () => {
    using folder = temporaryFolder();
    makeStore(folder.path);
    copyFileSync(join(folder.path, "store.db"), join(folder.path, "older"));
    const store = must(openStore(folder.path));
    store.commit({ put: [record("k1", 2)] });
    store.close();
    const columns = "key, revision, epoch, seq, body, signature, sum";
    edit(
      folder.path,
      `ATTACH '${join(folder.path, "older")}' AS older; DELETE FROM records WHERE key = 'k1'; INSERT INTO records (${columns}) SELECT ${columns} FROM older.records WHERE key = 'k1'`,
    );
    expect(errorOf(folder.path)).toContain("do not add up");
  });

  test("F23 refuses a database under another one's log", async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    makeStore(folder.path);
    const store = must(openStore(folder.path));
    await store.backup(join(other.path, "copy"));
    store.close();
    await runWriter({ dir: folder.path, count: 1000, killAfter: 5 });
    copyFileSync(join(other.path, "copy"), join(folder.path, "store.db"));
    expect(errorOf(folder.path)).toContain("does not belong to the log store.db-wal");
    rmSync(join(folder.path, "store.db"));
    expect(errorOf(folder.path)).toContain("is missing, but its log store.db-wal is there");
  });
});

/** A store that was killed, so that its log holds commits which the database does not. */
async function killedStore(dir: string, killAfter = 40): Promise<readonly number[]> {
  const { acknowledged } = await runWriter({ dir, count: 100_000, killAfter });
  return acknowledged;
}

function copyStore(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const name of ["store.db", "store.db-wal", "store.db-wal-synced"]) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe("a damaged store", () => {
  // A log may be torn with what says how much of it was on the disk, and without: it is then all that is known.
  test.each([true, false])(
    "F18 with a log torn at each 4 KiB (its mark there: %s) opens at a commit, or refuses",
    async (marked) => {
      using folder = temporaryFolder();
      using copy = temporaryFolder();
      await killedStore(folder.path, 15);
      const size = statSync(join(folder.path, "store.db-wal")).size;
      const random = numbers(1);
      const pages = Array.from({ length: Math.ceil(size / 4096) }, (_, i) => i * 4096);
      const cuts = [
        1,
        31,
        32,
        33,
        size - 1,
        ...Array.from({ length: 10 }, () => Math.floor(random.next().value * size)),
      ];
      const mark = readMark(readFileSync(join(folder.path, "store.db-wal-synced")));
      const synced = 32 + (mark?.frames ?? 0) * (24 + 4096); // octets that were on the disk for certain
      expect(synced).toBeGreaterThan(4096);
      for (const cut of [...pages, ...cuts]) {
        copyStore(folder.path, copy.path);
        truncateSync(join(copy.path, "store.db-wal"), cut);
        if (!marked) rmSync(join(copy.path, "store.db-wal-synced"));
        const result = openStore(copy.path);
        expect([cut, result.ok]).toEqual([cut, !marked || cut < 32 || cut >= synced]); // less than a header is no log
        if (!result.ok) continue;
        expect(wrongAfter(result.value, [])).toBeUndefined();
        expect(result.value.commit({ put: [record("after")] }).ok).toBe(true);
        result.value.close();
      }
    },
    60_000,
  );

  test("F18 with its database torn at each 4 KiB is refused", async () => {
    using folder = temporaryFolder();
    using copy = temporaryFolder();
    await killedStore(folder.path);
    must(openStore(folder.path)).close(); // moves what the log holds into the database
    const size = statSync(join(folder.path, "store.db")).size;
    for (let cut = 4096; cut < size; cut += 4096) {
      copyStore(folder.path, copy.path);
      truncateSync(join(copy.path, "store.db"), cut);
      expect(errorOf(copy.path)).toContain("restore a backup");
    }
  });

  test("F18 whose database is empty, beside what only a store has, is not taken for a new one", async () => {
    using folder = temporaryFolder();
    await killedStore(folder.path);
    truncateSync(join(folder.path, "store.db"), 0);
    expect(errorOf(folder.path)).toContain("is missing, but its log store.db-wal is there");
  });

  test.each([
    ["the log", "store.db-wal"],
    ["the database", "store.db"],
  ])(
    "F19 with one bit flipped in %s, at 200 places, is refused, or serves what was written",
    async (_, name) => {
      using folder = temporaryFolder();
      using copy = temporaryFolder();
      const acknowledged = await killedStore(folder.path);
      if (name === "store.db") must(openStore(folder.path)).close(); // moves what the log holds into the database
      const bytes = readFileSync(join(folder.path, name));
      const random = numbers(2);
      const places = [
        ...Array(100).keys(),
        ...Array.from({ length: 100 }, () => Math.floor(random.next().value * bytes.length)),
      ];
      let refused = 0;
      for (const place of places) {
        copyStore(folder.path, copy.path);
        const flipped = Buffer.from(bytes);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(random.next().value * 8));
        writeFileSync(join(copy.path, name), flipped);
        const result = openStore(copy.path);
        if (!result.ok) refused += 1;
        else closeAfter(result.value, (store) => expect(wrongAfter(store, acknowledged.slice(0, -1))).toBeUndefined());
      }
      expect(refused).toBeGreaterThan(20);
    },
    60_000,
  );
});

function closeAfter(store: Store, use: (store: Store) => void): void {
  try {
    use(store);
  } finally {
    store.close();
  }
}
