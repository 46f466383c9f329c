import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expect as must } from "#values";
import { lockDataDir } from "./data-lock.ts";
import { temporaryFolder } from "./testbed.ts";

const HOLDER = `
import { lockDataDir } from ${JSON.stringify(new URL("./data-lock.ts", import.meta.url).href)};
const lock = lockDataDir(process.argv[1]);
console.log(lock.ok ? "held" : lock.error);
setInterval(() => lock, 1000);
`;

/** holdElsewhere lets another process take the lock, and gives that process. */
async function holdElsewhere(dir: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  expect(said).toBe("held\n");
  return child;
}

describe("lockDataDir()", () => {
  test("makes the folder at 0700 and the lock's file at 0600", () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "data", "deep");
    using lock = must(lockDataDir(dir));
    expect(lock.dir).toBe(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, "lock")).mode & 0o777).toBe(0o600);
  });

  test("refuses while another process holds it, by that process's number", async () => {
    using folder = temporaryFolder();
    const child = await holdElsewhere(folder.path);
    expect(lockDataDir(folder.path)).toEqual({
      ok: false,
      error: `another meridian (pid ${child.pid}) holds ${folder.path}`,
    });
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  test("is free again when its holder was killed with -9", async () => {
    using folder = temporaryFolder();
    const child = await holdElsewhere(folder.path);
    child.kill("SIGKILL");
    await once(child, "exit");
    using lock = must(lockDataDir(folder.path));
    expect(lock.dir).toBe(folder.path);
  });

  test("refuses twice in one process too, and a refusal does not free it", async () => {
    using folder = temporaryFolder();
    const first = must(lockDataDir(folder.path));
    for (let n = 0; n < 2; n += 1) {
      expect(lockDataDir(folder.path)).toMatchObject({ error: expect.stringContaining(`pid ${process.pid}`) });
    }
    first[Symbol.dispose]();
    must(lockDataDir(folder.path))[Symbol.dispose]();
    expect(existsSync(join(folder.path, "lock"))).toBe(true);
  });

  test("names folder and reason where it cannot lock", () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "file"), "");
    expect(lockDataDir(join(folder.path, "file"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("cannot lock"),
    });
    mkdirSync(join(folder.path, "d", "lock"), { recursive: true });
    expect(lockDataDir(join(folder.path, "d"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("cannot lock"),
    });
  });
});
