import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readPrivate, readPublic, removeDurably, writeDurably } from "./durable-file.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "meridian-file-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("writeDurably()", () => {
  test("makes a file of mode 0600, whatever the umask is, and leaves nothing else behind", () => {
    const before = process.umask(0);
    try {
      expect(writeDurably(join(dir, "a"), "text")).toEqual({ ok: true, value: undefined });
    } finally {
      process.umask(before);
    }
    expect(statSync(join(dir, "a")).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["a"]);
  });

  test("replaces a file and tightens its mode", () => {
    writeFileSync(join(dir, "a"), "old", { mode: 0o644 });
    writeDurably(join(dir, "a"), "new");
    expect(readFileSync(join(dir, "a"), "utf8")).toBe("new");
    expect(statSync(join(dir, "a")).mode & 0o777).toBe(0o600);
  });

  test("writes over the temporary file that a crash left, and never through a link planted in its place", () => {
    writeFileSync(join(dir, "victim"), "untouched");
    symlinkSync(join(dir, "victim"), join(dir, ".a.new"));
    expect(writeDurably(join(dir, "a"), "new").ok).toBe(true);
    expect(readFileSync(join(dir, "victim"), "utf8")).toBe("untouched");
    expect(readFileSync(join(dir, "a"), "utf8")).toBe("new");
  });

  test("names the path when it cannot write, and keeps the old file", () => {
    const result = writeDurably(join(dir, "no", "a"), "text");
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(join(dir, "no", "a")) });
  });
});

describe("readPrivate()", () => {
  test.each([0o640, 0o604, 0o620, 0o644, 0o666, 0o777])("refuses mode %o and names chmod", (mode) => {
    writeFileSync(join(dir, "key"), "secret words");
    chmodSync(join(dir, "key"), mode);
    const result = readPrivate(join(dir, "key"));
    if (result.ok) throw new Error("was read");
    expect(result.error.code).toBe("unusable");
    expect(result.error.message).toContain(`chmod 600 ${join(dir, "key")}`);
    expect(result.error.message).not.toContain("secret words");
  });

  test.each([0o600, 0o400])("reads mode %o", (mode) => {
    writeFileSync(join(dir, "key"), "secret", { mode });
    expect(readPrivate(join(dir, "key"))).toEqual({ ok: true, value: "secret" });
  });

  test("looks at the file behind a link, as a mounted Secret is one", () => {
    writeFileSync(join(dir, "real"), "secret", { mode: 0o644 });
    chmodSync(join(dir, "real"), 0o644);
    symlinkSync(join(dir, "real"), join(dir, "key"));
    expect(readPrivate(join(dir, "key")).ok).toBe(false);
    chmodSync(join(dir, "real"), 0o400);
    expect(readPrivate(join(dir, "key"))).toEqual({ ok: true, value: "secret" });
  });

  test("tells a missing file from one that is no file or too long", () => {
    expect(readPrivate(join(dir, "key"))).toMatchObject({ error: { code: "missing" } });
    expect(readPrivate("/dev/null")).toMatchObject({ error: { code: "unusable", message: "/dev/null is not a file" } });
    expect(readPublic(dir)).toMatchObject({ error: { code: "unusable" } });
    writeFileSync(join(dir, "key"), Buffer.alloc((1 << 20) + 1), { mode: 0o600 });
    expect(readPrivate(join(dir, "key"))).toMatchObject({ error: { code: "unusable" } });
  });
});

describe("removeDurably()", () => {
  test("removes a file, and is content when there is none", () => {
    writeFileSync(join(dir, "a"), "");
    expect(removeDurably(join(dir, "a")).ok).toBe(true);
    expect(removeDurably(join(dir, "a")).ok).toBe(true);
    expect(readdirSync(dir)).toEqual([]);
  });
});
