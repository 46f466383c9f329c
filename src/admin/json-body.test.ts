import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_DEPTH, parseJson } from "./json-body.ts";
import { Refused } from "./problem.ts";

function refusal(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof Refused) return error.problem.detail;
    throw error;
  }
  return "";
}

describe("parseJson()", () => {
  test("reads what JSON.stringify writes", () => {
    const value = fc.jsonValue({ maxDepth: MAX_DEPTH - 2 }).filter((of) => !JSON.stringify(of).includes("__proto__"));
    fc.assert(
      fc.property(value, (of) => {
        expect(parseJson(JSON.stringify(of))).toEqual(JSON.parse(JSON.stringify(of)));
      }),
    );
  });

  test("gives a value or a refusal for any text, and nothing else", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void refusal(text)));
    fc.assert(fc.property(fc.stringMatching(/^[[\]{}",:0-9a\\]{0,40}$/), (text) => void refusal(text)));
  });

  test("takes nesting up to the limit and no deeper", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(refusal(nested(MAX_DEPTH))).toBe("");
    expect(refusal(nested(MAX_DEPTH + 1))).toContain("nested deeper");
    expect(refusal('{"a":'.repeat(20_000))).toContain("nested deeper");
  });

  test("does not count brackets in strings, however they are escaped", () => {
    expect(refusal(JSON.stringify({ text: `${"[{".repeat(100)}\\"` }))).toBe("");
    expect(refusal(`["\\"","${"[".repeat(100)}"]`)).toBe("");
  });

  test("refuses a key __proto__ at any depth, and leaves every prototype as it was", () => {
    for (const text of ['{"__proto__":{"x":1}}', '[{"a":{"__proto__":null}}]', '{"\\u005f_proto__":1}']) {
      expect(refusal(text)).toContain("__proto__");
    }
    expect("x" in {}).toBe(false);
  });

  test("takes a time that grows with the text, not with its square, and a few milliseconds at most", () => {
    const texts = [
      "[".repeat(65_536),
      '"'.repeat(65_536),
      `"${"\\".repeat(65_534)}"`,
      '"\\'.repeat(32_768),
      `[${"0,".repeat(32_000)}0]`,
    ];
    for (const text of texts) {
      const times = Array.from({ length: 10 }, () => {
        const start = performance.now();
        refusal(text);
        return performance.now() - start;
      });
      expect(Math.min(...times)).toBeLessThan(10); // the least of them: the others also measure the machine
    }
  });
});
