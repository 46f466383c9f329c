import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareOrder, formatKey, parseKey, type RecordKey, underHead } from "./record.ts";

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const nodeName = fc.array(label, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("."));
const cluster = label as fc.Arbitrary<never>;
const anyKey: fc.Arbitrary<RecordKey> = fc.oneof(
  ...(["member", "eviction", "leave", "head", "nodes"] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), cluster }),
  ),
  fc.record({
    kind: fc.constantFrom("leave" as const, "eviction" as const),
    cluster,
    generation: fc.integer({ min: 1, max: 999_999_999 }),
  }),
  fc.record({ kind: fc.constant("gateway" as const), cluster, name: nodeName as fc.Arbitrary<never> }),
  fc.record({
    kind: fc.constant("export" as const),
    cluster,
    namespace: label as fc.Arbitrary<never>,
    name: label as fc.Arbitrary<never>,
  }),
  fc.record({ kind: fc.constant("grant" as const), number: fc.integer({ min: 1, max: 999_999_999 }) }),
);

describe("parseKey()", () => {
  test("is the inverse of formatKey()", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(parseKey(formatKey(key))).toEqual({ ok: true, value: key });
      }),
    );
  });

  test("never throws, and what it takes is written in one way only", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webPath()), (text) => {
        const key = parseKey(text);
        if (key.ok) expect(formatKey(key.value)).toBe(text);
      }),
    );
  });

  test.each([
    "",
    "member",
    "member/",
    "member/Amber",
    "member/amber/",
    "member/a.b",
    "member/../x",
    "gateway/amber",
    "gateway/amber/a/b",
    "gateway/amber/A",
    "export/amber/web",
    "export/amber/shop/web/x",
    "export/amber/shop/w_b",
    "grant/0",
    "grant/01",
    "grant/-1",
    "grant/1/2",
    "grant/9999999999999999",
    "secret/amber",
    "leave/amber/0",
    "leave/amber/01",
    "member/amber/1",
    `member/${"a".repeat(64)}`,
  ])("refuses %j, and says what is wrong", (text) => {
    const key = parseKey(text);
    expect(key.ok ? "taken" : key.error).toMatch(/\w/);
    expect(key.ok).toBe(false);
  });
});

describe("compareOrder()", () => {
  test("epochs count first, then numbers", () => {
    expect(compareOrder({ epoch: 2, seq: 1 }, { epoch: 1, seq: 9 })).toBeGreaterThan(0);
    expect(compareOrder({ epoch: 1, seq: 1 }, { epoch: 1, seq: 2 })).toBeLessThan(0);
    expect(compareOrder({ epoch: 1, seq: 1 }, { epoch: 1, seq: 1 })).toBe(0);
  });
});

test("underHead() tells the two kinds that carry no signature of their own", () => {
  const kinds = ["member", "eviction", "grant", "leave", "gateway", "head", "export", "nodes"] as const;
  expect(kinds.filter(underHead)).toEqual(["export", "nodes"]);
});
