import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameText } from "./name-text.ts";
import { nameOf } from "./testbed.ts";
import { concat, encodeName } from "./wire-name.ts";

describe("nameText()", () => {
  test("shows plain names in lower case with a dot at the end", () => {
    expect(nameText(nameOf("_Http._tcp.Web-1.shop.svc"), 0)).toBe("_http._tcp.web-1.shop.svc.");
    expect(nameText(Uint8Array.of(0), 0)).toBe(".");
  });

  test("[5.4-A5] [5.4-M10] what could end a line, close a quote or pass for a dot is escaped", () => {
    const label = Buffer.from('a.b\n"\x1b[31m\\\0\r ü', "latin1");
    const name = concat(Uint8Array.of(label.length), label, nameOf("svc"));
    expect(nameText(name, 0)).toBe("a\\046b\\010\\034\\027\\09131m\\092\\000\\013\\032\\252.svc.");
  });

  test("[5.4-A5] whatever the octets, the text is one line of letters, digits, dots, dashes and escapes", () => {
    const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 4 });
    fc.assert(
      fc.property(labels, (parts) => {
        const name = concat(...parts.map((part) => concat(Uint8Array.of(part.length), part)), Uint8Array.of(0));
        const text = nameText(name, 0);
        expect(text).toMatch(/^(?:[a-z0-9_-]|\\\d{3}|\.)+$/);
        const back = encodeName(text);
        const folded = name.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet));
        // A length octet is below 64, and so is never folded.
        if (back.ok) expect(back.value).toEqual(folded);
      }),
    );
  });
});
