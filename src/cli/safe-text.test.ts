import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeText } from "./safe-text.ts";

describe("safeText()", () => {
  test("cuts join tokens, however they stand in a text", () => {
    const token = "mrd1.AbC-123_x";
    expect(safeText(`${token} "${token}", ${token}.`)).toBe('mrd1.(secret) "mrd1.(secret)", mrd1.(secret).');
  });

  test("writes control characters out, which could forge a line or command a terminal", () => {
    expect(safeText("a\nmeridian: b\r\u001b[2J\u009b\t")).toBe("a\\nmeridian: b\\x0d\\x1b[2J\\x9b\\x09");
  });

  test("leaves the lines of a stack", () => {
    expect(safeText("Error: x\n    at f (a.ts:1)\n    at g")).toBe("Error: x\n    at f (a.ts:1)\n    at g");
  });

  test("leaves other text as it is, in any language", () => {
    expect(safeText("größer als 東京 – 10 %")).toBe("größer als 東京 – 10 %");
  });

  test("what it gives has one line, and no control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const lines = safeText(text).split(/\n(?! {4}at )/);
        expect(lines).toHaveLength(1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
        expect(safeText(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });
});
