import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentLog, systemClock } from "#life";
import { openSqliteStore } from "#store";
import { expect as right } from "#values";
import { say, startDaemon } from "../cli/testbed-daemons.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene, type Side } from "./scene.ts";
import { readStore } from "./store-log.ts";

/** A broker is killed, its store is damaged behind its back, and it is started again. What the store itself finds at every
 *  single place is shown beside it, in its own room; here is what becomes of the clusterset. */

let scene: Scene;
let amber: Side;
let birch: Side;
/** Of before all faults. */
let backup: string;
beforeAll(async () => {
  scene = await Scene.raise();
  scene.relay.patient = true;
  [amber, birch] = [scene.side("amber"), scene.side("birch")];
  for (let i = 0; i < 10; i += 1) scene.export(i % 2 === 0 ? amber : birch, `more-${i}`);
  await checkInvariants(scene);
  backup = join(scene.dir, "backup");
  expect(await say(["broker", "backup", "--data", scene.broker.place.data, backup])).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose]());

const FILES = ["store.db", "store.db-wal", "store.db-wal-synced"];
const file = (name: string): string => join(scene.broker.place.data, name);

/** Files is what a store was at one time. */
class Files {
  readonly #contents = FILES.map((name) => [name, existsSync(file(name)) ? readFileSync(file(name)) : null] as const);

  restore(names: readonly string[] = FILES): void {
    for (const [name, bytes] of this.#contents) {
      if (!names.includes(name)) continue;
      rmSync(file(name), { force: true });
      if (bytes !== null) writeFileSync(file(name), bytes, { mode: 0o600 });
    }
  }
}

/** refused starts the broker, which must not run, and gives the one line that it says. */
async function refused(): Promise<string> {
  const broker = startDaemon(scene.broker.argv);
  const end = await Promise.race([broker.exited, broker.line(/"msg":"ready"/).catch(() => broker.exited)]);
  if (typeof end === "string") await broker.stop("SIGKILL");
  expect(end).toBe(1);
  return broker.lines.join("\n");
}

/** Up again, with all that there was; a store that is older than its members counts its revisions anew. */
async function heals(older = false): Promise<void> {
  if (older) scene.seen.clear();
  await scene.broker.start();
  for (const side of scene.sides) await scene.connected(side);
  await checkInvariants(scene, 20_000);
}

/** What the log has goes into the database, as at a start. */
function inDatabase(): void {
  right(openSqliteStore({ dir: scene.broker.place.data, clock: systemClock, log: silentLog })).close();
}

/** newerSchema makes the store one that a later program wrote, and gives what this one has. */
function newerSchema(): number {
  const db = new DatabaseSync(file("store.db"));
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  db.exec(`PRAGMA user_version = ${version + 1}`);
  db.close();
  return version;
}

let whole: Files;
let revision: number;
let watch: ReturnType<Scene["watch"]>;
let tests = 0;
beforeEach(async () => {
  watch = scene.watch(birch);
  tests += 1;
  scene.export(amber, `last-${tests}`); // a name of its own: a file that is written again is empty for a moment
  await checkInvariants(scene);
  await scene.broker.kill();
  revision = readStore(scene.broker.place.data).revision;
  whole = new Files();
});

/** Whatever the broker's disk does: names are answered all the while (N6). */
afterEach(async () => {
  await watch[Symbol.asyncDispose]();
  expect(watch.asked).toBeGreaterThan(10);
  expect(watch.lapses).toEqual([]);
});

describe("the broker's log", () => {
  test("F18 is torn: it refuses, or opens at an older commit where nobody knows better, and nothing is lost or rises", async () => {
    truncateSync(file("store.db-wal"), Math.floor(readFileSync(file("store.db-wal")).length * 0.6));
    expect(await refused()).toMatch(/store\.db-wal.*were on the disk.*restore a backup/s);
    rmSync(file("store.db-wal-synced"));
    expect(readStore(scene.broker.place.data).revision).toBeLessThan(revision);
    await heals(true);
  });

  test("F23 is that of an older copy, or the store is a newer program's: it refuses, and says which way leads on", async () => {
    const older = whole;
    await heals();
    for (let i = 0; i < 10; i += 1) scene.export(i % 2 === 0 ? birch : amber, `newer-${i}`);
    await checkInvariants(scene);
    await scene.broker.kill();
    whole = new Files();
    older.restore(["store.db-wal"]);
    expect(await refused()).toMatch(/store\.db has a damaged log .*an older one.*restore a backup/s);
    whole.restore();
    inDatabase();
    const version = newerSchema();
    expect(await refused()).toContain(
      `has schema ${version + 1}, this program reads up to ${version}: use the newer program that wrote it, or restore`,
    );
    whole.restore();
    await heals();
  });
});

describe("the broker's database", () => {
  test("F19 [lighthouse PR#1472] has one wrong bit in a record: it refuses, and serves again from an older backup", async () => {
    inDatabase();
    const bytes = readFileSync(file("store.db"));
    const text = '"name":"more-3"'; // flipped wherever it stands: a page that is free keeps what it had, and is not read
    expect(bytes.indexOf(text)).toBeGreaterThan(0);
    for (let at = bytes.indexOf(text); at > 0; at = bytes.indexOf(text)) bytes[at + 10] = (bytes[at + 10] ?? 0) ^ 1;
    writeFileSync(file("store.db"), bytes);
    expect(await refused()).toMatch(/store\.db is damaged.*meridian broker restore FILE/s);
    const restored = await say(["broker", "restore", "--data", scene.broker.place.data, backup]);
    expect(restored).toMatchObject({ code: 0 });
    await heals(true);
  });
});
