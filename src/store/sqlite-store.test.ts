import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "#life";
import { type ClusterId, type IdentityKey, millis, expect as must, type Revision, type Uid } from "#values";
import { MemoryStore } from "./memory-store.ts";
import { WAL_BYTES } from "./sqlite-store.ts";
import type { AuditEntry, Change, Store } from "./store.ts";
import { NOW, openStore, record, runWriter, temporaryFolder, wrongAfter } from "./testbed.ts";

const rev = (n: number): Revision => n as Revision;
const entry = (subject: string): AuditEntry => ({
  time: NOW,
  actor: "admin",
  action: "a",
  subject,
  outcome: "refused",
  detail: "why",
});

/** everything that a store can be asked. */
function allOf(store: Store): unknown {
  return {
    revision: store.revision(),
    records: [...store.records()],
    changes: store.changesSince(rev(0)),
    meta: store.meta("m"),
    audit: store.audit(0, 1000),
    speakers: store.speakers(),
  };
}

describe("SqliteStore", () => {
  test("gives everything back after it was closed and opened, and is the same store", () => {
    using folder = temporaryFolder();
    const first = must(openStore(folder.path));
    first.commit({ put: [record("a"), record("b")], audit: [entry("x")], meta: { m: "1" } });
    first.commit({ remove: ["a"], speakers: [{ cluster: "c1" as ClusterId, epoch: 2, gateway: null }] });
    const [before, { id }] = [allOf(first), first];
    first.close();
    const second = must(openStore(folder.path));
    expect(allOf(second)).toEqual(before);
    expect(second.id).toBe(id);
    second.close();
  });

  test("two stores never have the same id", () => {
    using one = temporaryFolder();
    using two = temporaryFolder();
    const [a, b] = [must(openStore(one.path)), must(openStore(two.path))];
    expect(a.id).not.toBe(b.id);
    a.close();
    b.close();
  });

  test("answers any sequence of changes as the store in memory does, also after a restart", () => {
    const key = fc.constantFrom("a", "b", "c", "d/e");
    const change: fc.Arbitrary<Change> = fc.record(
      {
        put: fc.array(
          fc.tuple(key, fc.nat(9)).map(([k, seq]) => record(k, seq)),
          { maxLength: 3 },
        ),
        remove: fc.array(key, { maxLength: 2 }),
        audit: fc.array(fc.string({ unit: "binary" }).map(entry), { maxLength: 2 }),
        meta: fc.constantFrom({ m: "1" }, { m: null }, { m: "\ud800'\u0000" }),
        speakers: fc.constantFrom([{ cluster: "c1" as ClusterId, epoch: 1, gateway: null }], []),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.boolean()), { maxLength: 12 }), (steps) => {
        using folder = temporaryFolder();
        const model = new MemoryStore();
        let store = must(openStore(folder.path));
        for (const [next, restart] of steps) {
          const meta = next.meta?.["m"] === "\ud800'\u0000" ? { m: "\ufffd'\u0000" } : next.meta;
          model.commit(meta === undefined ? next : { ...next, meta });
          store.commit(next);
          if (restart) {
            store.close();
            store = must(openStore(folder.path));
          }
          expect(allOf(store)).toEqual(allOf(model));
        }
        store.close();
      }),
      { numRuns: 25 },
    );
  });

  test("makes its files with mode 0600 and no others, whatever the umask is", () => {
    using folder = temporaryFolder();
    const before = process.umask(0);
    const store = must(openStore(folder.path));
    store.commit({ put: [record("a")] });
    process.umask(before);
    const names = readdirSync(folder.path).sort();
    expect(names).toEqual(["lock", "store.db", "store.db-wal", "store.db-wal-synced"]);
    for (const name of names) expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600);
    store.close();
  });

  test("keeps its log short: it never grows far beyond its limit", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    const body = "x".repeat(10_000);
    for (let n = 0; n < 4000; n += 1) store.commit({ put: [record(`k${n % 20}`, n, body)] });
    expect(statSync(join(folder.path, "store.db-wal")).size).toBeLessThan(WAL_BYTES + (2 << 20));
    store.close();
  });

  test("holds no secret of a token in any of its files, only the hash", () => {
    using folder = temporaryFolder();
    const secret = new Secret("mXq3-the-secret-of-a-token");
    const store = must(openStore(folder.path));
    const cluster = "c1" as ClusterId;
    const invite = {
      id: "i1",
      hash: "HASH-OF-IT",
      cluster,
      createdAt: NOW,
      expiresAt: millis(NOW + 1),
      uses: 1,
      used: 0,
    };
    store.commit({ invites: { put: [{ ...invite, revokedAt: null, by: "admin" }] }, audit: [entry("i1")] });
    const redeem = { inviteId: "i1", hash: "HASH-OF-IT", key: "K" as IdentityKey, cluster, uid: "u" as Uid, now: NOW };
    expect(store.commit({ redeem }).ok).toBe(true);
    store.close();
    const bytes = readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name), "latin1"));
    expect(bytes.join("")).toContain("HASH-OF-IT");
    expect(bytes.join("")).not.toContain(secret.reveal());
  });

  test("puts 500 records in one commit within 10 ms", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    const spans = Array.from({ length: 15 }, (_, n) => {
      const put = Array.from({ length: 500 }, (_, i) =>
        record(`export/c1/ns/svc-${i}`, n, { n, pad: "x".repeat(150) }),
      );
      const start = performance.now();
      store.commit({ put });
      return performance.now() - start;
    });
    store.close();
    expect(Math.min(...spans)).toBeLessThan(10); // the quickest: other tests share the machine
  });

  test("drops expired answers when new ones come", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    const answer = { requestHash: "r", status: 200, body: "OLD-BODY" };
    store.commit({ idempotency: { key: "old", ...answer, expiresAt: NOW } });
    store.commit({ idempotency: { key: "new", ...answer, expiresAt: millis(NOW + 1) } });
    expect(store.idempotent("old", millis(0))).toBeNull();
    expect(store.idempotent("new", NOW)).not.toBeNull();
    store.close();
  });

  test("throws at a change that is a bug of ours, does none of it and goes on", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    const wrong = { ...record("b"), order: { epoch: 1.5, seq: 1 } };
    expect(() => store.commit({ put: [record("a"), wrong] })).toThrow();
    expect([...store.records()]).toEqual([]);
    expect(store.commit({ put: [record("a")] })).toEqual({ ok: true, value: 1 });
    store.close();
    must(openStore(folder.path)).close();
  });
});

describe("changesSince()", () => {
  test("knows the newest removals only, and is too old before them", () => {
    using folder = temporaryFolder();
    const limits = { tombstones: 3 };
    let store = must(openStore(folder.path, limits));
    store.commit({ put: [1, 2, 3, 4, 5].map((n) => record(`k${n}`)) });
    for (const n of [1, 2, 3, 4, 5]) store.commit({ remove: [`k${n}`] });
    for (const restart of [false, true]) {
      if (restart) {
        store.close();
        store = must(openStore(folder.path, limits));
      }
      expect(store.changesSince(rev(2))).toBe("too-old");
      expect(store.changesSince(rev(3))).toEqual({ put: [], removed: ["k3", "k4", "k5"], through: 6 });
    }
    store.close();
  });
});

describe("audit()", () => {
  test("keeps the newest rows, and the chain still holds from there on", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path, { auditRows: 100 }));
    for (let n = 0; n < 25; n += 1) store.commit({ audit: Array.from({ length: 100 }, (_, i) => entry(`${n}.${i}`)) });
    expect(store.verifyAudit()).toEqual({ ok: true, value: 2500 });
    const rows = store.audit(0, 10_000);
    expect(rows.length).toBeGreaterThanOrEqual(100);
    expect(rows.length).toBeLessThanOrEqual(1200);
    expect(rows.at(-1)).toMatchObject({ number: 2500, subject: "24.99" });
    store.close();
    must(openStore(folder.path)).close();
  });
});

describe("backup()", () => {
  test("copies the store while it works; opened as a store the copy is a new one of the next generation", async () => {
    using folder = temporaryFolder();
    using elsewhere = temporaryFolder();
    const store = must(openStore(folder.path));
    store.commit({ put: Array.from({ length: 2000 }, (_, i) => record(`k${i}`, 1, "x".repeat(500))) });
    const copying = store.backup(join(elsewhere.path, "store.db"));
    store.commit({ put: [record("during")] });
    expect(await copying).toEqual({ ok: true, value: undefined });
    expect(readdirSync(elsewhere.path)).toEqual(["store.db"]);
    expect(statSync(join(elsewhere.path, "store.db")).mode & 0o777).toBe(0o600);
    const restored = must(openStore(elsewhere.path));
    expect(restored.id).not.toBe(store.id);
    expect(restored.generation).toBe(2);
    expect(restored.meta("restored-from")).toBe(store.id);
    expect([...restored.records()].length).toBeGreaterThanOrEqual(2000);
    const { id } = restored;
    restored.close();
    const again = must(openStore(elsewhere.path));
    expect([again.id, again.generation]).toEqual([id, 2]);
    again.close();
    store.close();
  });

  test("replaces an older backup whole, and says why it cannot write", async () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path));
    writeFileSync(join(folder.path, "b"), "older");
    expect((await store.backup(join(folder.path, "b"))).ok).toBe(true);
    const failed = await store.backup(join(folder.path, "none", "b"));
    expect(failed).toMatchObject({ ok: false, error: expect.stringContaining(join("none", "b")) });
    expect(existsSync(join(folder.path, "b.partial"))).toBe(false);
    store.close();
  });
});

describe("kill -9 while committing", () => {
  test("loses no acknowledged commit and leaves none half done, again and again on one store", async () => {
    using folder = temporaryFolder();
    let total = 0;
    for (let round = 0; round < 6; round += 1) {
      const end = await runWriter({ dir: folder.path, count: 100_000, killAfter: 1 + ((round * 37) % 90) });
      expect(end.stderr).toBe("");
      const store = must(openStore(folder.path));
      expect(wrongAfter(store, end.acknowledged)).toBeUndefined();
      store.close();
      total += end.acknowledged.length;
    }
    expect(total).toBeGreaterThan(100);
  });
});

test("the file can be opened by nobody else while the store is open", () => {
  using folder = temporaryFolder();
  const store = must(openStore(folder.path));
  const other = new DatabaseSync(join(folder.path, "store.db"), { timeout: 0 });
  expect(() => other.prepare("SELECT * FROM records").all()).toThrow(/locked/);
  other.close();
  expect(store.commit({ put: [record("a")] }).ok).toBe(true);
  store.close();
});
