import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { readPlainYaml } from "./plain-yaml.ts";

const full = (text: string): unknown => parse(text, { merge: true });

describe("readPlainYaml() reads what the full parser reads", () => {
  test.each([
    "a: 1\nb: two\nc: true\nd: null\ne: ~x",
    "a:\n  b:\n    c: deep\nd: back",
    "list:\n- a\n- b\nafter: 1",
    "list:\n  - a: 1\n    b: 2\n  - a: 3",
    "list:\n-\n  a: 1\n-\n- b",
    "- a",
    "ports:\n  -   name: http\n      port: 80",
    "nested:\n- - a\n  - b\n- - c",
    "quoted: \"a: b # c\"\nsingle: 'x: y'",
    "empty: ''\nnothing:\nlast: \"\"",
    "flow: [a, \"b\", 'c', 1, true]\nmap: {ready: true, n: 3}\nnone: {}\nno: []",
    "# first\na: 1 # one\n\n  # indented\nb: x#y",
    "ip: 10.244.0.1\nspan: 30s\ntime: 2026-01-31T12:00:00Z\nurl: http://a.b/c",
    "app.kubernetes.io/name: web\nx/y: z",
    "port: 080\nbig: 12345678901234567890\nhex: 0x1f\nfloat: 1.5\nexp: 1e3\nplus: +1",
    "word: True\nno: no\nyes: yes\nnull: x",
    "text: hello, world [not a list]\nt2: a b  c",
    "multi: one\n  two",
    "tab:\tx",
    "block: |\n  a\n  b\nfolded: >-\n  c",
    "anchor: &a 1\nalias: *a",
    "tagged: !!str 1",
    '"key": v\n? complex\n: x',
    "a: 'it''s'\nb: \"\\u0041\"",
    "a: {b: {c: 1}}\nd: [[1], 2]",
    "a:   1   \nb:    x   ",
    "crlf: 1\r\nb: 2",
    "a: -\nb: - c",
    "a: 1\n b: 2",
    "a: {x: 1,}\nb: [1, ]",
    "constructor: 1\ntoString: 2",
  ])("%j", (text) => {
    const value = readPlainYaml(text);
    if (value !== undefined) expect(value).toEqual(full(text));
  });

  test("of any value that the full parser writes", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom("true", "1", "a b", "10.0.0.1", "x: y", "#", "-"),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, text, fc.boolean(), fc.integer(), fc.constant(null), tie("list"), tie("map")),
      list: fc.array(tie("value"), { maxLength: 4 }),
      map: fc.dictionary(fc.oneof(fc.constantFrom("a", "b", "c.d/e"), text), tie("value"), { maxKeys: 4 }),
    }));
    fc.assert(
      fc.property(value, fc.boolean(), (any, indentSeq) => {
        const written = stringify({ any }, { indentSeq, lineWidth: 0 });
        const read = readPlainYaml(written);
        if (read !== undefined) expect(read).toEqual(full(written));
      }),
      { numRuns: 500 },
    );
  });

  test("of any text made of YAML's own characters", () => {
    const piece = fc.constantFrom(
      "a",
      "b: ",
      "- ",
      "\n",
      "\n  ",
      ":",
      " ",
      "#",
      '"',
      "'",
      "[",
      "]",
      "{",
      "}",
      ",",
      "1",
      ".",
      "|",
      "&",
      "\n- ",
      "key: v",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join("");
        const read = readPlainYaml(text);
        if (read !== undefined) expect(read).toEqual(full(text));
      }),
      { numRuns: 5000 },
    );
  });
});

describe("readPlainYaml() leaves to the full parser", () => {
  test.each([
    ["a key given twice", "a: 1\na: 2"],
    ["anchors", "a: &x 1"],
    ["block scalars", "a: |\n  b"],
    ["escapes", 'a: "\\n"'],
    ["scalars of several lines", "a: b\n  c"],
    ["tabs", "a:\tb"],
    ["carriage returns", "a: b\r\n"],
    ["lines that are deeper than their block", "a: 1\n  b: 2"],
    ["lines that are shallower than their block", "  a: 1\nb: 2"],
    ["numbers that are not plain", "a: 1.5"],
    ["keys that are no plain words", "1: a"],
    ["the key __proto__", "__proto__: 1"],
    ["a directive", "%YAML 1.2\n---\na: 1"],
  ])("%s", (_, text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});

test("readPlainYaml() reads manifests as they are usually written by itself", () => {
  const text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n  - port: 80\n    name: http\n";
  expect(readPlainYaml(text)).toEqual({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { ports: [{ port: 80, name: "http" }] },
  });
});
