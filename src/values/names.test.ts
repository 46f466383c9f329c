import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDnsLabel, parseClusterId, parseNamespace, parseNodeName, parseServiceName, parseUid } from "./names.ts";

const GOOD = ["a", "0", "web", "a-b", "a--b", "7", "x".repeat(63)];
const BAD = ["", "-", "-a", "a-", "A", "a_b", "a.b", "a b", "ä", "a\n", "a\u0000", "x".repeat(64), "\u212a", "ｗｅｂ"];

describe("one RFC 1123 label", () => {
  const parsers = [
    ["cluster id", parseClusterId],
    ["namespace", parseNamespace],
    ["service name", parseServiceName],
  ] as const;

  test.each(parsers)("as %s takes labels alone", (what, parse) => {
    expect(GOOD.map((text) => parse(text))).toEqual(GOOD.map((value) => ({ ok: true, value })));
    for (const text of BAD) {
      const rule = `${what} must be a DNS label (a-z, 0-9 and -, at most 63): ${JSON.stringify(text)}`;
      expect(parse(text)).toEqual({ ok: false, error: rule });
    }
  });

  test("isDnsLabel() is true of what the rule says, letter by letter", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."az09-A_."), maxLength: 70 }), (text) => {
        const inside = [...text].every((c) => "az09-".includes(c));
        const ends = text !== "" && !text.startsWith("-") && !text.endsWith("-");
        expect(isDnsLabel(text)).toBe(inside && ends && text.length <= 63);
      }),
      { numRuns: 1000 },
    );
  });

  test("a long text is not repeated whole", () => {
    const refused = parseClusterId("_".repeat(5000));
    expect(refused.ok ? "" : refused.error.length).toBeLessThan(200);
  });
});

describe("parseNodeName()", () => {
  const longest = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;

  test.each(["node", "node-1.example.com", "7.8", longest])("takes %s", (text) =>
    expect(parseNodeName(text).ok).toBe(true),
  );
  test.each(["", ".", "a.", ".a", "a..b", "A.b", `${longest}x`, "a_b.c"])("refuses %j", (text) =>
    expect(parseNodeName(text)).toMatchObject({
      ok: false,
      error: expect.stringContaining("must be DNS labels joined by dots"),
    }),
  );
});

describe("parseUid()", () => {
  test("takes every UUID in lower case", () => {
    fc.assert(fc.property(fc.uuid(), (text) => void expect(parseUid(text)).toEqual({ ok: true, value: text })));
  });
  test.each([
    "",
    "x",
    "0123",
    "AAAAAAAA-0000-4000-8000-000000000000",
    "{00000000-0000-4000-8000-000000000000}",
    "00000000-0000-4000-8000-0000000000000",
  ])("refuses %j", (text) =>
    expect(parseUid(text)).toMatchObject({ ok: false, error: expect.stringContaining("not a UUID") }),
  );
});
