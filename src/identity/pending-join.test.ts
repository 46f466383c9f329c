import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClusterId, expect as must, parseUid, type Uid } from "#values";
import { endPendingJoin, pendingJoin } from "./pending-join.ts";

const C1 = "c1" as ClusterId;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "meridian-pending-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("pendingJoin()", () => {
  test("begins a join with a new key and a random uid, durable at 0600 before it returns", () => {
    const pending = must(pendingJoin(dir, C1));
    expect(parseUid(pending.uid).ok).toBe(true);
    expect(statSync(join(dir, "join.pending")).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(dir, "join.pending"), "utf8"))).toMatchObject({
      version: 1,
      cluster: "c1",
      uid: pending.uid,
    });
  });

  test("gives the same key and uid after a crash, so that the same key redeems again", () => {
    const first = must(pendingJoin(dir, C1));
    const again = must(pendingJoin(dir, C1));
    expect(again.uid).toBe(first.uid);
    expect(again.privateKey.equals(first.privateKey)).toBe(true);
  });

  test("keeps a uid that is given, as the cluster's own is", () => {
    const uid = "0f8fad5b-d9cb-469f-a165-70867728950e" as Uid;
    expect(must(pendingJoin(dir, C1, uid)).uid).toBe(uid);
  });

  test("refuses to drop the join of another cluster, whose token may be spent", () => {
    must(pendingJoin(dir, C1));
    const other = pendingJoin(dir, "c2" as ClusterId);
    expect(other).toMatchObject({ ok: false, error: expect.stringContaining("a join of cluster c1 that was begun") });
  });

  test("refuses a damaged file by its name instead of making a new key", () => {
    writeFileSync(join(dir, "join.pending"), "{", { mode: 0o600 });
    expect(pendingJoin(dir, C1)).toMatchObject({ ok: false, error: expect.stringContaining("join.pending") });
  });

  test("endPendingJoin() removes it, also twice", () => {
    must(pendingJoin(dir, C1));
    expect(endPendingJoin(dir).ok && endPendingJoin(dir).ok).toBe(true);
    expect(readdirSync(dir)).toEqual([]);
  });
});
