import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#life";
import { type FileStamp, quietMs, settle, stampOf } from "./file-stamp.ts";

const at = (changes: Partial<FileStamp>): FileStamp => ({
  text: "x",
  bytes: 10,
  modifiedAt: 1_000_000,
  movedSince: false,
  ...changes,
});

describe("quietMs()", () => {
  test.each([
    ["reads a file at once that was renamed in", at({}), 1_000_001, true, 0],
    ["reads a file at once that was moved after its last write", at({ movedSince: true }), 1_000_001, false, 0],
    ["reads a file at once that was written long ago", at({}), 1_002_000, false, 0],
    ["waits a few milliseconds for the end of a write", at({}), 1_000_001, false, 5],
    [
      "waits longer for a file that is empty, since it was most likely truncated",
      at({ bytes: 0 }),
      1_000_001,
      false,
      250,
    ],
    ["waits for an empty file though it was renamed in", at({ bytes: 0 }), 1_000_001, true, 250],
    ["believes an old empty file", at({ bytes: 0 }), 1_002_000, false, 0],
    ["waits where the file's clock is ahead", at({}), 999_000, false, 5],
  ])("%s", (_, stamp, now, complete, expected) => {
    expect(quietMs(stamp, now, complete)).toBe(expected);
  });
});

describe("stampOf() and settle()", () => {
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "stamp-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const stamp = async (path: string): Promise<FileStamp> => {
    const found = await stampOf(path);
    if (!found.ok || found.value === null) throw new Error("no file");
    return found.value;
  };
  const options = { clock: systemClock, complete: false, signal: new AbortController().signal };

  test("tell a file from the one that replaced it", async () => {
    const path = join(dir, "a");
    await writeFile(path, "one");
    const before = await stamp(path);
    expect((await stamp(path)).text).toBe(before.text);
    await writeFile(`${path}2`, "two");
    await rename(`${path}2`, path);
    expect((await stamp(path)).text).not.toBe(before.text);
  });

  test("give null for a folder, and the system's code for what is not there", async () => {
    expect(await stampOf(dir)).toEqual({ ok: true, value: null });
    expect(await stampOf(join(dir, "none"))).toEqual({ ok: false, error: "ENOENT" });
  });

  test("wait for a writer that goes on", async () => {
    const path = join(dir, "a");
    await writeFile(path, "");
    const settled = settle(path, await stamp(path), options);
    await writeFile(path, "whole");
    expect((await settled)?.bytes).toBe(5);
  });

  test("end when the file goes", async () => {
    const path = join(dir, "a");
    await writeFile(path, "");
    const settled = settle(path, await stamp(path), options);
    await rm(path);
    expect(await settled).toBeNull();
  });
});
