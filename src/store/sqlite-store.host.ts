import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { describeFault, runCommand } from "#life";
import { expect as must } from "#values";
import { openStore, record, runWriter, temporaryFolder, wrongAfter } from "./testbed.ts";

/** Faults that only the kernel can make: needs root, mount and strace. */

async function run(...argv: readonly string[]): Promise<void> {
  const result = await runCommand(argv);
  if (!result.ok) throw new Error(describeFault(result.error));
}

/** The kernel may let go of a file that was closed and removed a moment later, and says until then that it is busy. */
async function remountReadOnly(dir: string): Promise<void> {
  for (let left = 50; left > 0; left -= 1) {
    if ((await runCommand(["mount", "-o", "remount,ro", dir])).ok) return;
    await sleep(100);
  }
  await run("mount", "-o", "remount,ro", dir);
}

/** inject has strace do something to one system call of the writer, from its n-th use on or only then. */
function inject(call: string, what: string): readonly string[] {
  return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:${what}`];
}

describe("F3 SqliteStore under kill -9 at each system call", () => {
  test.each([
    ["pwrite64", 60],
    ["fdatasync", 24],
    ["fsync", 5],
    ["ftruncate", 3],
    ["unlink", 3],
  ])("keeps what it acknowledged when killed at the n-th %s, up to n = %i", async (call, times) => {
    for (let n = 1; n <= times; n += 1 + Math.floor(n / 12)) {
      using folder = temporaryFolder();
      const dir = folder.path;
      const end = await runWriter({ dir, count: 12, under: inject(call, `signal=SIGKILL:when=${n}`) });
      const store = must(openStore(dir));
      expect(wrongAfter(store, end.acknowledged)).toBeUndefined();
      expect(store.commit({ put: [record("after")] }).ok).toBe(true);
      store.close();
    }
  });
});

describe("F17 SqliteStore on a disk whose fsync fails", () => {
  test.each([
    ["fsync", 1, /cannot open .*disk I\/O error/],
    ["fsync", 5, /(cannot open .*|io: the store in .* failed: .*)(disk I\/O error|EIO)/],
    ["fdatasync", 1, /io: the store in .* failed: EIO/],
    ["fdatasync", 30, /io: the store in .* failed: EIO/],
  ])("acknowledges nothing after EIO of %s number %i and refuses to go on", async (call, from, said) => {
    using folder = temporaryFolder();
    const under = inject(call, `error=EIO:when=${from}+`);
    const end = await runWriter({ dir: folder.path, count: 2000, under });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(said);
    const store = must(openStore(folder.path));
    expect(wrongAfter(store, end.acknowledged)).toBeUndefined();
    store.close();
  });
});

describe("SqliteStore on a small disk", () => {
  test("F16 refuses writes when it is full, goes on reading, and writes again when space returns", async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "disk");
    mkdirSync(dir);
    await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", dir);
    try {
      const ballast = join(dir, "ballast");
      writeFileSync(ballast, Buffer.alloc(300_000));
      const store = must(openStore(dir));
      let acknowledged = 0;
      const fill = () => store.commit({ put: [record(`k${acknowledged}`, 1, "x".repeat(20_000))] });
      let result = fill();
      for (; result.ok; result = fill()) acknowledged += 1;
      expect(result.error.code).toBe("disk-full");
      expect([...store.records()]).toHaveLength(acknowledged);
      expect(store.revision()).toBe(acknowledged);
      rmSync(ballast);
      expect(fill()).toEqual({ ok: true, value: acknowledged + 1 });
      store.close();
      const again = must(openStore(dir));
      expect([...again.records()]).toHaveLength(acknowledged + 1);
      again.close();
    } finally {
      await run("umount", dir);
    }
  });

  test("F24 refuses writes while the file system is read-only", async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "disk");
    mkdirSync(dir);
    await run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", dir);
    try {
      must(openStore(dir)).close();
      await remountReadOnly(dir);
      expect(openStore(dir)).toMatchObject({ ok: false, error: expect.stringMatching(/read-?only/i) });
    } finally {
      await run("umount", dir);
    }
  });
});
