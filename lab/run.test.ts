import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startOf } from "./processes.ts";
import { createRun, keepRun, listRuns, removeFolder } from "./run.ts";
import { isLeftover, sweep } from "./sweep.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "runs-"));
});
afterEach(() => rm(parent, { recursive: true }));

describe("createRun()", () => {
  test("createRun() makes a folder that only its owner may read, with an id of its own", async () => {
    const [a, b] = [await createRun(parent), await createRun(parent)];
    expect(a.id).not.toBe(b.id);
    expect((await stat(a.folder)).mode & 0o777).toBe(0o700);
    expect((await readdir(a.folder)).toSorted()).toEqual(["data", "etc", "log", "manifests", "owner.json"]);
  });

  test("listRuns() sees it alive, and kept once it is kept", async () => {
    const run = await createRun(parent);
    expect(await listRuns(parent)).toEqual([{ ...run, alive: true, kept: false }]);
    await keepRun(run);
    expect(await listRuns(parent)).toEqual([{ ...run, alive: true, kept: true }]);
    await removeFolder(run);
    expect(await listRuns(parent)).toEqual([]);
  });

  test("listRuns() takes a pid that came again for a dead owner, and a broken record too", async () => {
    const run = await createRun(parent);
    await writeFile(join(run.folder, "owner.json"), JSON.stringify({ pid: process.pid, start: "1", kept: false }));
    expect(await listRuns(parent)).toMatchObject([{ alive: false }]);
    await writeFile(join(run.folder, "owner.json"), "{");
    expect(await listRuns(parent)).toMatchObject([{ alive: false, kept: false }]);
  });
});

describe("sweep()", () => {
  test.each([
    [{ alive: true, kept: false }, true, false],
    [{ alive: true, kept: true }, true, false],
    [{ alive: false, kept: true }, false, false],
    [{ alive: false, kept: true }, true, true],
    [{ alive: false, kept: false }, false, true],
  ])("isLeftover(%j, kept %s) is %s", (state, kept, left) => {
    expect(isLeftover({ id: "x", folder: "/x", ...state }, kept)).toBe(left);
  });

  test("sweep() deletes the folders of dead runs only", async () => {
    const [dead, alive] = [await createRun(parent), await createRun(parent)];
    await writeFile(join(dead.folder, "owner.json"), "{}");
    expect((await sweep({ parent })).map(({ id }) => id)).toEqual([dead.id]);
    expect((await listRuns(parent)).map(({ id }) => id)).toEqual([alive.id]);
  });
});

test("startOf() is field 22 of /proc/PID/stat, and undefined for a pid that is not there", async () => {
  const stat = await readFile("/proc/self/stat", "utf8");
  expect(await startOf(process.pid)).toBe(stat.split(") ")[1]?.split(" ")[19]);
  expect(await startOf(4_194_305)).toBeUndefined();
});
