import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, encodeName, FOLD, labelOctets, latin1 } from "./wire-name.ts";

describe("FOLD", () => {
  test("has a lower case for A to Z and for nothing else", () => {
    for (let octet = 0; octet < 256; octet++) {
      const letter = octet >= 0x41 && octet <= 0x5a;
      expect(FOLD[octet]).toBe(letter ? octet + 32 : octet);
    }
  });

  test("leaves length octets alone", () => {
    for (let length = 0; length <= 63; length++) expect(FOLD[length]).toBe(length);
  });
});

describe("labelOctets()", () => {
  test("encodes folded labels without the root", () => {
    expect(labelOctets(["WEB", "shop"])).toEqual(Uint8Array.from([3, 119, 101, 98, 4, 115, 104, 111, 112]));
    expect(labelOctets([])).toEqual(new Uint8Array(0));
  });

  test("takes 63 octets and no more, none, or what is not ASCII", () => {
    expect(labelOctets(["x".repeat(63)])).toHaveLength(64);
    for (const label of ["x".repeat(64), "", "ü", "\u212a"]) expect(labelOctets(["a", label])).toBeUndefined();
  });
});

describe("encodeName()", () => {
  const rows: readonly (readonly [text: string, hex: string])[] = [
    [".", "00"],
    ["", "00"],
    ["a.B", "0161014200"],
    ["a.B.", "0161014200"],
    ["a\\.b", "03612e6200"],
    ["a\\.", "02612e00"],
    ["\\000\\255", "0200ff00"],
    ["\\\\", "015c00"],
  ];
  test.each(rows)("%j is %s", (text, hex) => {
    const name = encodeName(text);
    expect(name.ok && name.value.toHex()).toBe(hex);
  });

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ["a..b", /label is empty/],
    [".a", /label is empty/],
    ["a\\", /not a domain name/],
    ["\\256", /not a domain name/],
    ["ā", /not a domain name/],
    ["x".repeat(64), /at most 63/],
    [Array(128).fill("a").join("."), /at most 255 octets, this has 257/],
  ];
  test.each(refused)("%j is refused", (text, reason) => {
    const name = encodeName(text);
    expect(name.ok ? "" : name.error).toMatch(reason);
  });

  test("agrees with labelOctets() on plain labels", () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => {
        const name = encodeName(labels.join("."));
        expect(name.ok && name.value).toEqual(concat(labelOctets(labels) ?? new Uint8Array(0), Uint8Array.of(0)));
      }),
    );
  });
});

test("latin1() tells octets apart, whatever their length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      expect(Buffer.from(latin1(octets), "latin1")).toEqual(Buffer.from(octets));
    }),
  );
});
