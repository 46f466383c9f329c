import { describe, expect, test } from "vitest";
import { sourceFiles } from "../house/source-files.ts";
import { page, tables } from "./pages.ts";

/** TroubleSource is where the code of a trouble stands in the source. */
interface TroubleSource {
  readonly code: string;
  readonly path: string;
}

/** A trouble is an object with a code and a severity side by side; its code is a text or a constant of the same file.
 *  Some rooms have a method for it whose first argument is the code. */
function troublesIn(path: string, text: string): readonly TroubleSource[] {
  const constants = new Map([...text.matchAll(/const (\w+) = "([a-z-]+)";/g)].map((m) => [m[1] ?? "", m[2] ?? ""]));
  const objects = [...text.matchAll(/\bcode: (?:"([a-z-]+)"|(\w+)),\s*severity\b/g)];
  const calls = [...text.matchAll(/#trouble\("([a-z-]+)"/g)];
  const cleared = [...text.matchAll(/\btroubles\.(?:clear|replace)\((?:"([a-z-]+)"|(\w+))/g)];
  return [...objects, ...calls, ...cleared].flatMap(([, literal, name]) => {
    const code = literal ?? constants.get(name ?? "");
    return code === undefined ? [] : [{ code, path }];
  });
}

const sources = sourceFiles("src").filter(({ isTest }) => !isTest);
const found = sources.flatMap(({ path, text }) => troublesIn(path, text));
const [table = []] = tables(page("docs/troubles.md").text).get("Troubles") ?? [];

describe("troublesIn()", () => {
  test.each([
    ['troubles.set({ code: "a-b", severity: "info", title });', ["a-b"]],
    ['const REFUSED = "x-y";\ntroubles.set({\n  code: REFUSED,\n  severity,\n});', ["x-y"]],
    ['this.#trouble("dns-down", "t", d);', ["dns-down"]],
    ['troubles.clear("a-b");', ["a-b"]],
    ['return err({ code: "missing", message });', []],
  ])("finds what %j says", (text, codes) => {
    expect(troublesIn("x.ts", text).map(({ code }) => code)).toEqual(codes);
  });
});

describe("docs/troubles.md", () => {
  test("has every trouble that the program can have, and no other", () => {
    const inCode = [...new Set(found.map(({ code }) => code))].sort();
    expect(table.map((row) => row["code"])).toEqual(inCode);
  });

  test("gives each a severity, a meaning and a remedy", () => {
    for (const row of table) {
      expect(row["severity"]).toMatch(/^(info|warning|critical)(, (warning|critical))?$/);
      expect(row["what it means"]).toMatch(/\.$/);
      expect(row["what to do"]).toMatch(/\.$/);
    }
  });

  test("its severities are those of the source, where they stand there as texts", () => {
    const inCode = sources.flatMap(({ text }) =>
      [...text.matchAll(/\bcode: "([a-z-]+)",\s*severity: "(\w+)"/g)].map(([, code, severity]) => [code, severity]),
    );
    const wrong = inCode.filter(
      ([code, severity]) => table.find((row) => row["code"] === code)?.["severity"]?.includes(severity ?? "") !== true,
    );
    expect(wrong).toEqual([]);
  });
});
