import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { millis, type Revision } from "#values";
import { CHAIN_START, follows, nextRow } from "./audit-chain.ts";
import type { AuditEntry, AuditRow } from "./store.ts";

const REVISION = 7 as Revision;
const entries: fc.Arbitrary<AuditEntry> = fc.record({
  time: fc.nat().map(millis),
  actor: fc.string(),
  action: fc.string(),
  subject: fc.string(),
  outcome: fc.constantFrom("done", "refused"),
  detail: fc.string(),
});

function chain(list: readonly AuditEntry[]): readonly AuditRow[] {
  const rows: AuditRow[] = [];
  for (const entry of list) rows.push(nextRow(rows.at(-1) ?? CHAIN_START, REVISION, entry));
  return rows;
}

/** How many rows from the start hold. */
function holds(rows: readonly AuditRow[]): number {
  const broken = rows.findIndex((row, i) => !follows(rows[i - 1] ?? CHAIN_START, row));
  return broken === -1 ? rows.length : broken;
}

describe("nextRow()", () => {
  test("hashes the hash before and the row as a JSON array", () => {
    const entry: AuditEntry = { time: millis(1), actor: "a", action: "b", subject: "c", outcome: "done", detail: "d" };
    const first = nextRow(CHAIN_START, REVISION, entry);
    const text = '["",1,7,1,"a","b","c","done","d"]';
    expect(first.hash).toBe(createHash("sha256").update(text).digest("base64url"));
    expect(nextRow(first, REVISION, entry)).toMatchObject({ number: 2, subject: "c" });
  });

  test("makes a chain that holds", () => {
    fc.assert(fc.property(fc.array(entries), (list) => holds(chain(list)) === list.length));
  });
});

describe("follows()", () => {
  test("finds a changed field, a dropped row and two rows exchanged", () => {
    const field = fc.constantFrom("actor", "action", "subject", "detail", "hash");
    fc.assert(
      fc.property(fc.array(entries, { minLength: 3 }), fc.nat(), field, (list, n, name) => {
        const rows = chain(list);
        const at = n % (rows.length - 1);
        const row = rows[at] as AuditRow;
        const changed = rows.with(at, { ...row, [name]: `${row[name as "actor"]}x` });
        expect(holds(changed)).toBe(at);
        expect(holds(rows.toSpliced(at, 1))).toBe(at);
        expect(holds(rows.toSpliced(at, 2, rows[at + 1] as AuditRow, row))).toBe(at);
      }),
    );
  });

  test("does not take text from one field for text of the next", () => {
    const entry: AuditEntry = { time: millis(1), actor: "ab", action: "c", subject: "", outcome: "done", detail: "" };
    const row = nextRow(CHAIN_START, REVISION, entry);
    expect(follows(CHAIN_START, { ...row, actor: "a", action: "bc" })).toBe(false);
  });
});
