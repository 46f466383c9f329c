import { describe, expect, test } from "vitest";
import { silentLog } from "#life";
import { expect as must } from "#values";
import { type LogDisk, LogSync, MAX_UNSYNCED } from "./log-sync.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";
import { NOW, record, temporaryFolder } from "./testbed.ts";

/** SlowDisk ends a sync when a test says so. */
class SlowDisk implements LogDisk {
  syncs = 0;
  atOnce = 0;
  fault: Error | null = null;
  #done: ((error: Error | null) => void)[] = [];

  sync(done: (error: Error | null) => void): void {
    this.syncs += 1;
    this.#done.push(done);
  }

  syncNow(): void {
    this.atOnce += 1;
    if (this.fault !== null) throw this.fault;
  }

  close(): void {}

  /** ends waits until one is on its way, and ends it. */
  async ends(error: Error | null = null): Promise<void> {
    while (this.#done.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#done.shift()?.(error);
  }
}

function started() {
  const disk = new SlowDisk();
  const said: string[] = [];
  const sync = new LogSync({
    disk,
    failed: (error) => said.push(`failed: ${error}`),
    synced: () => said.push("synced"),
  });
  return { disk, said, sync, wait: (name: string) => sync.whenDurable(() => said.push(name)) };
}

describe("LogSync", () => {
  test("calls at once while nothing is on its way", () => {
    const { said, wait } = started();
    wait("a");
    expect(said).toEqual(["a"]);
  });

  test("calls whoever waits only when the sync has ended, all commits of a turn by one", async () => {
    const { disk, said, sync, wait } = started();
    sync.wrote();
    wait("a");
    sync.wrote();
    wait("b");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(said).toEqual([]);
    expect(disk.syncs).toBe(1);
    await disk.ends();
    expect(said).toEqual(["a", "b", "synced"]);
  });

  test("lets a commit that came during a sync wait for the next one", async () => {
    const { disk, said, sync, wait } = started();
    sync.wrote();
    wait("a");
    while (disk.syncs === 0) await new Promise((resolve) => setImmediate(resolve));
    sync.wrote();
    wait("b");
    await disk.ends();
    expect(said).toEqual(["a", "synced"]);
    await disk.ends();
    expect(said).toEqual(["a", "synced", "b", "synced"]);
  });

  test("keeps the order also of those who ask while others are called", async () => {
    const { disk, said, sync, wait } = started();
    sync.wrote();
    sync.whenDurable(() => {
      said.push("a");
      wait("c");
    });
    wait("b");
    await disk.ends();
    expect(said).toEqual(["a", "b", "c", "synced"]);
  });

  test("calls nobody any more after a failed sync, whatever comes later", async () => {
    const { disk, said, sync, wait } = started();
    sync.wrote();
    wait("a");
    await disk.ends(new Error("EIO"));
    sync.wrote();
    wait("b");
    sync.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(said).toEqual(["failed: Error: EIO"]);
    expect(disk).toMatchObject({ syncs: 1, atOnce: 0 });
  });

  test("holds up the commit that is one too many until the disk has all of them", async () => {
    const { disk, said, sync, wait } = started();
    sync.wrote();
    wait("a");
    for (let n = 1; n < MAX_UNSYNCED - 1; n += 1) sync.wrote();
    expect(disk.atOnce).toBe(0);
    sync.wrote();
    expect(disk.atOnce).toBe(1);
    await Promise.resolve();
    expect(said).toEqual(["synced", "a"]);
  });
});

describe("SqliteStore on a slow disk", () => {
  const open = (dir: string, disk: LogDisk) =>
    must(openSqliteStore({ dir, clock: { now: () => NOW }, log: silentLog, disk: () => disk }));

  test("shows a commit to reads, and promises it only after the sync", async () => {
    using folder = temporaryFolder();
    const disk = new SlowDisk();
    const store = open(folder.path, disk);
    const said: string[] = [];
    expect(store.commit({ put: [record("a")] }).ok).toBe(true);
    store.whenDurable(() => said.push("durable"));
    expect(store.record("a")).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(said).toEqual([]);
    await disk.ends();
    expect(said).toEqual(["durable"]);
    store.close();
  });

  test("refuses everything after a failed sync, and says so", async () => {
    using folder = temporaryFolder();
    const disk = new SlowDisk();
    const store = open(folder.path, disk);
    store.commit({ put: [record("a")] });
    store.whenDurable(() => expect.unreachable());
    await disk.ends(new Error("EIO: i/o error, fdatasync"));
    expect(await store.failed).toMatchObject({ code: "io", message: expect.stringContaining("EIO") });
    expect(store.commit({ put: [record("b")] })).toMatchObject({ ok: false, error: { code: "io" } });
    store.close();
  });

  test("syncs before it closes", () => {
    using folder = temporaryFolder();
    const disk = new SlowDisk();
    const store = open(folder.path, disk);
    store.commit({ put: [record("a")] });
    store.close();
    expect(disk.atOnce).toBe(1);
  });
});
