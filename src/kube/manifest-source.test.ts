import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog, systemClock, Troubles } from "#life";
import { createManifestSource, type ManifestSource } from "./manifest-source.ts";
import type { ManifestChange } from "./manifests.ts";

const exportOf = (name: string, team = "a") => `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceExport
metadata: {name: ${name}, namespace: shop}
spec:
  exportedLabels: {team: ${team}}
`;
const serviceOf = (name: string, port = 80) => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec:
  ports:
  - port: ${port}
`;
const BROKEN = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports: [{port: 0}]\n";

let root = "";
let dir = "";
let troubles = new Troubles();
let source: ManifestSource;
let stop = new AbortController();
let running: Promise<void> | null = null;
let changes: ManifestChange[] = [];
let wakes: (() => void)[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "manifests-"));
  dir = join(root, "in");
  await mkdir(dir);
  stop = new AbortController();
  running = null;
  changes = [];
  wakes = [];
  troubles = new Troubles(() => wake());
  source = createManifestSource({ dir, clock: systemClock, log: silentLog, troubles, random: () => 0.5 });
  source.onChange((change) => {
    changes.push(change);
    wake();
  });
});

afterEach(async () => {
  stop.abort();
  await running;
  await rm(root, { recursive: true });
});

function wake(): void {
  for (const one of wakes.splice(0)) one();
}

/** until waits for a change or a trouble after which something holds, and gives the milliseconds that it took. */
async function until(holds: () => boolean): Promise<number> {
  const begin = performance.now();
  while (!holds()) await new Promise<void>((resolve) => wakes.push(resolve));
  return performance.now() - begin;
}

function start(): Promise<void> {
  running = source.run(stop.signal);
  return source.synced;
}

const put = (file: string, text: string) => writeFile(join(dir, file), text);
const exported = () => [...source.current().exports.keys()].sort();
const teamOf = (name: string) => source.current().exports.get(`shop/${name}`)?.exportedLabels["team"];
const codes = () => troubles.list().map(({ code, subject }) => `${code} ${subject}`);

/** replaceBy puts new content in place as careful writers do: beside it, then by a rename. */
async function replaceBy(file: string, text: string): Promise<void> {
  await put(`.${file}.tmp`, text);
  await rename(join(dir, `.${file}.tmp`), join(dir, file));
}

describe("ManifestSource reads a folder", () => {
  test("of yaml, yml and json files, and no others", async () => {
    await put("a.yaml", `${exportOf("web")}---\n${serviceOf("web")}`);
    await put("b.yml", exportOf("api"));
    await put("c.json", JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "empty" } }));
    await put("d.txt", exportOf("no"));
    await put(".e.yaml", exportOf("no"));
    await mkdir(join(dir, "f.yaml"));
    await start();
    expect(exported()).toEqual(["shop/api", "shop/web"]);
    expect([...source.current().namespaces].sort()).toEqual(["empty", "shop"]);
    expect(source.current().exports.get("shop/web")?.service?.ports).toMatchObject([{ port: 80 }]);
    expect(troubles.list()).toEqual([]);
  });

  test("and tells each file's changes before it is synced, then that it is", async () => {
    await put("a.yaml", exportOf("web"));
    await put("b.yaml", exportOf("api"));
    await start();
    expect(changes.map(({ changed, synced }) => [...changed, synced]).sort()).toEqual([
      ["shop/api", false],
      ["shop/web", false],
      [true],
    ]);
    expect(changes.at(-1)?.synced).toBe(true);
  });

  test("that is empty, and is synced with nothing", async () => {
    await start();
    expect(changes).toMatchObject([{ changed: [], synced: true }]);
  });

  test("with large files, parsed in other threads, as it reads small ones", async () => {
    const names = Array.from({ length: 400 }, (_, at) => `s${at}`);
    await put("large.yaml", names.map((name) => `${exportOf(name)}---\n${serviceOf(name)}`).join("---\n"));
    await start();
    expect(exported()).toHaveLength(400);
    expect(source.current().exports.get("shop/s7")).toMatchObject({
      service: { ports: [{ port: 80 }] },
      origin: { file: "large.yaml" },
    });
    await put(
      "large.yaml",
      names.map((name) => `${exportOf(name, name === "s7" ? "b" : "a")}---\n${serviceOf(name)}`).join("---\n"),
    );
    await until(() => teamOf("s7") === "b");
    expect(changes.at(-1)?.changed).toEqual(["shop/s7"]);
  });
});

describe("ManifestSource sees within a second", () => {
  test("a file written in place", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await put("a.yaml", exportOf("web", "b"));
    expect(await until(() => teamOf("web") === "b")).toBeLessThan(1000);
    expect(changes.at(-1)?.changed).toEqual(["shop/web"]);
  });

  test("a file renamed into place", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await replaceBy("a.yaml", exportOf("web", "b"));
    expect(await until(() => teamOf("web") === "b")).toBeLessThan(1000);
  });

  test("a new file, and one that is removed", async () => {
    await start();
    await put("a.yaml", exportOf("web"));
    expect(await until(() => exported().length === 1)).toBeLessThan(1000);
    await rm(join(dir, "a.yaml"));
    expect(await until(() => exported().length === 0)).toBeLessThan(1000);
    expect(changes.at(-1)?.changed).toEqual(["shop/web"]);
  });

  test("a symlink swapped as a mounted ConfigMap does", async () => {
    await mkdir(join(dir, "..1"));
    await writeFile(join(dir, "..1", "a.yaml"), exportOf("web"));
    await writeFile(join(dir, "..1", "b.yaml"), exportOf("api"));
    await symlink("..1", join(dir, "..data"));
    await symlink("..data/a.yaml", join(dir, "a.yaml"));
    await symlink("..data/b.yaml", join(dir, "b.yaml"));
    await start();
    expect(exported()).toEqual(["shop/api", "shop/web"]);
    await mkdir(join(dir, "..2"));
    await writeFile(join(dir, "..2", "a.yaml"), exportOf("web", "b"));
    await writeFile(join(dir, "..2", "b.yaml"), exportOf("api"));
    await symlink("..2", join(dir, "..data_tmp"));
    await rename(join(dir, "..data_tmp"), join(dir, "..data"));
    await rm(join(dir, "..1"), { recursive: true });
    expect(await until(() => teamOf("web") === "b")).toBeLessThan(1000);
    expect(changes.slice(-1).flatMap(({ changed }) => changed)).toEqual(["shop/web"]);
    await writeFile(join(dir, "..2", "a.yaml"), exportOf("web", "c"));
    expect(await until(() => teamOf("web") === "c")).toBeLessThan(1000);
  });

  test("a file behind a link that leads out of the folder", async () => {
    await writeFile(join(root, "far.yaml"), exportOf("web"));
    await symlink(join(root, "far.yaml"), join(dir, "a.yaml"));
    await start();
    await writeFile(join(root, "far.yaml"), exportOf("web", "b"));
    expect(await until(() => teamOf("web") === "b")).toBeLessThan(1000);
  });

  test("every last state of a file that is written over and over", async () => {
    await start();
    for (let n = 0; n < 50; n += 1)
      await (n % 2 === 0 ? put("a.yaml", exportOf("web", `t${n}`)) : replaceBy("a.yaml", exportOf("web", `t${n}`)));
    await until(() => teamOf("web") === "t49");
    expect(codes()).toEqual([]);
  });
});

describe("ManifestSource keeps what is good", () => {
  test("of a file that is broken now, and says file, line and reason", async () => {
    await put("a.yaml", `${serviceOf("web")}---\n${exportOf("web")}`);
    await put("b.yaml", exportOf("api"));
    await start();
    await replaceBy("a.yaml", BROKEN);
    await until(() => troubles.list().length > 0);
    expect(troubles.list()).toMatchObject([
      {
        code: "manifest-invalid",
        subject: "a.yaml",
        detail: "a.yaml:5: spec.ports[0].port: must be a whole number from 1 to 65535: 0",
      },
    ]);
    expect(exported()).toEqual(["shop/api", "shop/web"]);
    await replaceBy("b.yaml", exportOf("api", "b"));
    await until(() => teamOf("api") === "b");
    await replaceBy("a.yaml", `${serviceOf("web")}---\n${exportOf("web")}`);
    await until(() => troubles.list().length === 0);
  });

  test("while a file is empty for a moment, since it is being written", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await put("a.yaml", "");
    await put("a.yaml", exportOf("web", "b"));
    await until(() => teamOf("web") === "b");
    expect(changes.every(({ manifests, synced }) => !synced || manifests.exports.size === 1)).toBe(true);
  });

  test("while a file is away for a moment, since it is being replaced", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await rm(join(dir, "a.yaml"));
    await put("a.yaml", exportOf("web", "b"));
    const sizes: number[] = [];
    source.onChange(({ manifests }) => sizes.push(manifests.exports.size));
    await until(() => teamOf("web") === "b");
    expect(sizes).not.toContain(0);
  });

  test("of a folder that is gone, and reads it again when it is back", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await rename(dir, join(root, "away"));
    await until(() => codes().includes(`manifests-missing ${dir}`));
    expect(exported()).toEqual(["shop/web"]);
    await mkdir(dir);
    await put("b.yaml", exportOf("api"));
    await until(() => exported().join() === "shop/api" && codes().length === 0);
    await replaceBy("b.yaml", exportOf("api", "b"));
    await until(() => teamOf("api") === "b");
  });

  test("of a folder that is removed with all its files", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await rm(dir, { recursive: true });
    await until(() => codes().includes(`manifests-missing ${dir}`));
    expect(exported()).toEqual(["shop/web"]);
  });

  test("behind a link that leads nowhere now", async () => {
    await writeFile(join(root, "far.yaml"), exportOf("web"));
    await symlink(join(root, "far.yaml"), join(dir, "a.yaml"));
    await start();
    await rm(join(root, "far.yaml"));
    await until(() => codes().includes("manifest-invalid a.yaml"));
    expect(exported()).toEqual(["shop/web"]);
  });

  test("but a file emptied on purpose has nothing", async () => {
    await put("a.yaml", exportOf("web"));
    await start();
    await put("a.yaml", "# nothing any more\n");
    await until(() => exported().length === 0);
    expect(codes()).toEqual([]);
  });
});

describe("ManifestSource says what it does not know", () => {
  test("by naming files that were broken from the start", async () => {
    await put("a.yaml", BROKEN);
    await start();
    expect([...source.current().unread]).toEqual(["a.yaml"]);
    await replaceBy("a.yaml", exportOf("web"));
    await until(() => exported().length === 1);
    expect([...source.current().unread]).toEqual([]);
  });

  test("by not being synced while there is no folder", async () => {
    await rm(dir, { recursive: true });
    running = source.run(stop.signal);
    await until(() => codes().length === 1);
    expect(changes).toEqual([]);
    await mkdir(dir);
    await source.synced;
    expect(codes()).toEqual([]);
  });

  test("by a trouble where two files define one object", async () => {
    await put("b.yaml", exportOf("web", "second"));
    await put("a.yaml", exportOf("web", "first"));
    await start();
    expect(teamOf("web")).toBe("first");
    expect(troubles.list()).toMatchObject([
      {
        code: "manifest-duplicate",
        subject: "b.yaml",
        detail: "b.yaml:1: ServiceExport shop/web is already defined in a.yaml:1",
      },
    ]);
    await rm(join(dir, "a.yaml"));
    await until(() => teamOf("web") === "second" && troubles.list().length === 0);
  });
});

describe("ManifestSource.run()", () => {
  test("does nothing before it is called, and leaves nothing behind", async () => {
    await put("a.yaml", exportOf("web"));
    expect(exported()).toEqual([]);
    await start();
    stop.abort();
    await running;
    await replaceBy("a.yaml", exportOf("web", "b"));
    expect(await readdir(dir)).toEqual(["a.yaml"]);
    expect(teamOf("web")).toBe("a");
  });

  test("ends when it is stopped in the middle of a large file", async () => {
    const text = Array.from({ length: 3000 }, (_, at) => `${exportOf(`s${at}`)}---\n${serviceOf(`s${at}`)}`).join(
      "---\n",
    );
    await put("a.yaml", text);
    running = source.run(stop.signal);
    stop.abort();
    await running;
    expect(changes).toEqual([]);
  });

  test("fails when a listener throws, for that is a bug of ours", async () => {
    source.onChange(() => {
      throw new Error("listener");
    });
    await expect(source.run(stop.signal)).rejects.toThrow("listener");
  });
});
