import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { splitDocuments } from "./split-documents.ts";

const split = (text: string) => [...splitDocuments(text)].map((one) => [one.line, one.text.trimEnd()]);

describe("splitDocuments()", () => {
  test.each<[string, string, [number, string][]]>([
    ["gives one document whole", "a: 1\nb: 2\n", [[1, "a: 1\nb: 2"]]],
    [
      "cuts at ---",
      "a: 1\n---\nb: 2\n",
      [
        [1, "a: 1"],
        [3, "b: 2"],
      ],
    ],
    [
      "cuts at ... too",
      "a: 1\n...\nb: 2\n",
      [
        [1, "a: 1"],
        [3, "b: 2"],
      ],
    ],
    ["leaves out empty documents", "---\n---\n# only a comment\n---\na: 1\n---\n", [[5, "a: 1"]]],
    ["counts the line of the first content", "\n# note\n---\n# more\n\na: 1", [[6, "a: 1"]]],
    ["does not cut inside a line", "a: x --- y\nb: ---z\n", [[1, "a: x --- y\nb: ---z"]]],
    ["does not cut at ---x", "---x\n", [[1, "---x"]]],
    ["does not cut at an indented marker", "a: |\n  ---\n  b\n", [[1, "a: |\n  ---\n  b"]]],
    [
      "knows a marker with a comment",
      "a: 1\n--- # next\nb: 2",
      [
        [1, "a: 1"],
        [3, "b: 2"],
      ],
    ],
    ["keeps what follows a marker on its line", "--- {a: 1}\n", [[1, "--- {a: 1}"]]],
    ["keeps directives with their document", "%YAML 1.2\n---\na: 1\n", [[1, "%YAML 1.2\n---\na: 1"]]],
    [
      "knows files written on Windows",
      "a: 1\r\n---\r\nb: 2\r\n",
      [
        [1, "a: 1"],
        [3, "b: 2"],
      ],
    ],
    ["gives nothing for an empty file", "", []],
    ["gives nothing for comments alone", "# a\n# b\n", []],
  ])("%s", (_, text, expected) => {
    expect(split(text)).toEqual(expected);
  });

  test("finds the documents that the full parser finds", () => {
    const value = fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(fc.string(), fc.constantFrom("---", "x\n---\ny")));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        const text = values.map((one) => stringify(one)).join("---\n");
        const parsed = [...splitDocuments(text)].map((one) => parseAllDocuments(one.text)[0]?.toJS() as unknown);
        expect(parsed).toEqual(values);
      }),
    );
  });

  test("gives for each document the line on which it stands", () => {
    const lines = fc.array(fc.constantFrom("a: 1", "b: 2", "---", "# c", "", "  d: 3"), { maxLength: 20 });
    fc.assert(
      fc.property(lines, (list) => {
        for (const { text, line } of splitDocuments(list.join("\n"))) {
          expect(list[line - 1]).toBe(text.split("\n")[0]);
        }
      }),
    );
  });
});
