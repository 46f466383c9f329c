import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readIfThere, readMap, writeDurably, writeMap } from "./durable-file.ts";

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "durable-file-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe("writeDurably()", () => {
  test("replaces a file whole, with mode 0600, and leaves no draft", async () => {
    const path = join(dir, "f");
    await writeFile(path, "a longer text", { mode: 0o644 });
    expect(await writeDurably(path, "text")).toEqual({ ok: true, value: null });
    expect(await readFile(path, "utf8")).toBe("text");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(["f"]);
  });

  test("gets over the draft of a crash", async () => {
    const path = join(dir, "f");
    await writeFile(`${path}.new`, "half");
    expect((await writeDurably(path, "text")).ok).toBe(true);
  });

  test("gives the place of a fault", async () => {
    expect(await writeDurably(join(dir, "no", "f"), "")).toMatchObject({
      error: expect.stringContaining("no/f: ENOENT"),
    });
  });
});

test("readIfThere() tells a missing file from one that cannot be read", async () => {
  expect(await readIfThere(join(dir, "f"))).toEqual({ ok: true, value: null });
  await mkdir(join(dir, "d"));
  expect(await readIfThere(join(dir, "d"))).toMatchObject({ ok: false });
});

test("readMap() reads what writeMap() wrote, and a damaged file as empty", async () => {
  const path = join(dir, "map.json");
  const map = new Map([["net/ipv4/ip_forward", "0"]]);
  expect((await writeMap(path, map)).ok).toBe(true);
  expect(await readMap(path)).toEqual(map);
  for (const damaged of ["", "{", "[1]", "null", '{"a": 1}']) {
    await writeFile(path, damaged);
    expect(await readMap(path)).toEqual(new Map());
  }
  expect(await readMap(join(dir, "missing"))).toEqual(new Map());
});
