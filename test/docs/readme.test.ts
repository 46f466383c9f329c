import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatKey, parseKey } from "#wire";
import { page, pages, ROOT, tables } from "./pages.ts";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readme = page("README.md");

describe("README.md", () => {
  test("its table of places has every room, and only what there is", () => {
    const [rows = []] = tables(readme.text).get("Where things are") ?? [];
    const places = rows.flatMap((row) => (row["place"] ?? "").split(", "));
    const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `src/${name}/`);
    expect(places.filter((place) => place.startsWith("src/") && place.endsWith("/")).sort()).toEqual(rooms.sort());
    expect(places.filter((place) => !existsSync(join(ROOT, place)))).toEqual([]);
  });

  test("lists every page of docs/", () => {
    const [rows = []] = tables(readme.text).get("To look things up") ?? [];
    const listed = rows.map((row) => /\((.*)\)/.exec(row["page"] ?? "")?.[1]);
    expect(listed.sort()).toEqual(
      pages()
        .map(({ path }) => path)
        .slice(1)
        .sort(),
    );
  });

  test("the figures of its limits are those of the source", () => {
    expect(/heap is bounded at (\d+) MiB/.exec(readme.text)?.[1]).toBe(
      /--max-old-space-size=(\d+)/.exec(read("bin/meridian"))?.[1],
    );
    expect(/exports at most ([\d,]+)/.exec(readme.text)?.[1]?.replace(",", "")).toBe(
      /MAX_EXPORTS = ([\d_]+)/.exec(read("src/broker/publish.ts"))?.[1]?.replace("_", ""),
    );
  });

  test("names the license that the project has", () => {
    expect(readme.text).toContain("Apache License 2.0");
    expect(read("LICENSE")).toMatch(/^\s*Apache License\s+Version 2\.0, January 2004/);
    expect(JSON.parse(read("package.json"))).toMatchObject({ license: "Apache-2.0" });
  });
});

describe("links", () => {
  /** The anchor of a heading, as forges make it. */
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");

  test.each(pages().map((one) => ({ path: one.path, one })))("of $path lead somewhere", ({ one }) => {
    const broken = [...one.text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].filter(([, file = "", anchor]) => {
      const target = file === "" ? one.path : join(one.path, "..", file);
      if (!existsSync(join(ROOT, target))) return true;
      if (anchor === undefined) return false;
      const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1] ?? ""));
      return !headings.includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

describe("docs/records.md", () => {
  test("has every kind of record, by the key that the program writes", () => {
    const [rows = []] = tables(page("docs/records.md").text).get("Records") ?? [];
    const keys = rows.map((row) => row["key"] ?? "");
    for (const key of keys) {
      const filled = key.replace(/<(number|generation)>/, "7").replace(/<(\w+)>/g, "x");
      const parsed = parseKey(filled);
      expect(parsed.ok && formatKey(parsed.value), key).toBe(filled);
    }
    const union = /export type RecordKey =([\s\S]*?);\n\n/.exec(read("src/wire/record.ts"))?.[1] ?? "";
    const kinds = [...union.matchAll(/(?:ClusterKey<|EndKey<|kind: )"(\w+)"/g)].map((match) => match[1]);
    expect(keys.map((key) => key.split("/")[0]).sort()).toEqual(kinds.sort());
  });
});
