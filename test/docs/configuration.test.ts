import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVerbs, type Verb } from "#cli";
import { blocksOf } from "./blocks.ts";
import { configurationTables, FIRST } from "./configuration-tables.ts";
import { page } from "./pages.ts";

const VERBS = await loadVerbs();

const verb = (settings: Verb["settings"]): Verb => ({
  name: "sing",
  summary: "sing a song",
  example: "meridian sing",
  settings,
  run: async () => 0,
});

describe("configurationTables()", () => {
  test("has flag, variable, key, default and meaning of each setting", () => {
    const text = configurationTables([
      verb([{ flag: "pod-cidr", value: "CIDR", help: "a network", fallback: "none" }]),
    ]);
    expect(text).toContain("| `--pod-cidr CIDR` | `MERIDIAN_POD_CIDR` | `podCidr` | `none` | a network |");
  });

  test("has no key for a secret, which must not stand in a file that others read", () => {
    expect(configurationTables([verb([{ flag: "token", value: "T", help: "a token", secret: true }])])).toContain(
      "| `--token T` | `MERIDIAN_TOKEN` | | | a token |",
    );
  });

  test("writes a bar so that it does not end a cell", () => {
    expect(configurationTables([verb([{ flag: "mode", value: "on|off", help: "a mode" }])])).toContain("on\\|off");
  });

  test("describes commands below a command, and their arguments", () => {
    const below: Verb = { ...verb([]), name: "loudly", args: [{ name: "song", help: "a song" }] };
    const text = configurationTables([{ ...verb([]), verbs: [below] }]);
    expect(text).toContain("## sing loudly\n\nSing a song. `song` is a song.\n");
    expect(text).not.toContain("## sing\n");
  });
});

describe("docs/configuration.md", () => {
  const { text } = page("docs/configuration.md");

  test("has every setting of every command as the program has it (test/docs/configuration-tables.ts writes it)", () => {
    expect(text.slice(text.indexOf(FIRST))).toBe(configurationTables(VERBS));
  });

  test("its examples have only keys that the command knows", () => {
    const examples = blocksOf(page("docs/configuration.md")).filter(({ marks }) => marks.has("config"));
    expect(examples.length).toBeGreaterThan(0);
    for (const { marks, text: yaml } of examples) {
      const settings = VERBS.find(({ name }) => name === marks.get("config"))?.settings ?? [];
      const known = settings.map(({ flag }) => flag.replaceAll("-", ""));
      expect(Object.keys(parse(yaml)).filter((key) => !known.includes(key.toLowerCase()))).toEqual([]);
    }
  });
});
