import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silentLog } from "#life";
import { type Ip, expect as must } from "#values";
import { openBroker } from "./broker.ts";
import { createStoreGuard } from "./store-guard.ts";
import { memoryBook, SimClock, TestBroker } from "./testbed.ts";
import { member } from "./testbed-gateway.ts";

const errorOf = (result: { ok: boolean; error?: string }): string => (result.ok ? "" : String(result.error));

describe("openBroker()", () => {
  test("refuses a folder that another broker holds, and touches nothing in it", async () => {
    await using broker = await TestBroker.open();
    const second = openBroker(broker.options(), new SimClock(), silentLog);
    expect(errorOf(second)).toMatch(/^another meridian \(pid \d+\) holds /);
    await using amber = await member(broker, "amber");
    expect(amber.client.state).toBe("live");
  });

  test("lets go of the folder when it refuses, and when it has run", async () => {
    const dir = mkdtempSync(join(tmpdir(), "meridian-open-"));
    await using broker = await TestBroker.open();
    const options = { ...broker.options(), dataDir: dir, listen: { host: "127.0.0.1" as Ip, port: 0 } };
    const other = { ...options, supernets: ["243.0.0.0/8" as never] };
    const first = must(openBroker(options, new SimClock(), silentLog));
    const stop = new AbortController();
    stop.abort();
    await first.run(stop.signal);
    expect(errorOf(openBroker(other, new SimClock(), silentLog))).toContain("--supernet is fixed at 242.0.0.0/8");
    await must(openBroker(options, new SimClock(), silentLog)).run(stop.signal);
    rmSync(dir, { recursive: true });
  });

  test("refuses new keys beside an old store: no member would believe them", async () => {
    await using broker = await TestBroker.open();
    await using other = await TestBroker.open();
    await Promise.all([broker.stop(), other.stop()]);
    for (const name of ["ca.key", "ca.crt", "server.key", "server.crt", "allocation.key"])
      cpSync(join(other.dir, name), join(broker.dir, name));
    const refused = openBroker(broker.options(), broker.clock, silentLog);
    expect(errorOf(refused)).toMatch(
      /signed by allocation key sha256:.*restore the keys and the store from one backup/,
    );
    await broker.stop();
  });

  test("ends with the flag to change when the port is taken", async () => {
    await using broker = await TestBroker.open();
    const dir = mkdtempSync(join(tmpdir(), "meridian-open-"));
    const second = must(openBroker({ ...broker.options(), dataDir: dir }, new SimClock(), silentLog));
    await expect(second.run(new AbortController().signal)).rejects.toThrow(
      `--listen 127.0.0.1:${broker.port} is taken`,
    );
    rmSync(dir, { recursive: true });
  });

  test("keeps everything over a restart: members, addresses, epochs, invites, audit", async () => {
    await using broker = await TestBroker.open();
    const amber = await member(broker, "amber");
    await amber.publish(amber.says({ web: amber.address() }));
    await amber[Symbol.asyncDispose]();
    const { desk } = broker.broker;
    const before = [
      broker.state(),
      desk.clusters().map(({ uid, state, prefixes }) => [uid, state, prefixes]),
      desk.invites(),
    ];
    await broker.restart();
    const after = broker.broker.desk;
    expect([
      broker.state(),
      after.clusters().map(({ uid, state, prefixes }) => [uid, state, prefixes]),
      after.invites(),
    ]).toEqual(before);
  });

  test("shows its loop delay, members and sessions in its status", async () => {
    await using broker = await TestBroker.open();
    await using _amber = await member(broker, "amber");
    expect(broker.broker.status()).toMatchObject({ role: "broker", members: 1, sessions: 1, revision: 1 });
    await expect
      .poll(() => (broker.broker.status() as { loop: { maxDelaySeconds: number } }).loop.maxDelaySeconds)
      .toBeGreaterThan(0);
  });
});

describe("a disk", () => {
  test("F17 that failed ends the broker: nothing more is written", async () => {
    const book = memoryBook();
    const guard = createStoreGuard(book).run(new AbortController().signal);
    book.store.failWith({ code: "io", message: "fsync: EIO" });
    book.commit({ meta: { a: "b" } });
    await expect(guard).rejects.toThrow("the store failed, and nothing more is written: fsync: EIO");
  });

  test("F16 that is full refuses, keeps memory as the disk has it, and recovers without a restart", () => {
    const book = memoryBook();
    const write = (ip: string) =>
      book.write({ grants: [{ kind: "service", namespace: "a", name: "b", address: ip as Ip } as never] });
    book.store.failWith({ code: "disk-full", message: "no space" });
    expect(write("242.200.0.1")).toMatchObject({ ok: false, error: { code: "disk-full" } });
    expect(book.catalogue.ledger.serviceAddress("a/b")).toBeUndefined();
    expect(book.writable()).toMatchObject({ ok: false });
    book.store.failWith(undefined);
    expect(book.writable()).toMatchObject({ ok: true });
    expect(write("242.200.0.2")).toMatchObject({ ok: true });
    expect(book.catalogue.ledger.serviceAddress("a/b")).toBe("242.200.0.2");
  });
});
