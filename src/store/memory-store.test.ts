import { describe, expect, test } from "vitest";
import { MemoryStore } from "./memory-store.ts";
import { record } from "./testbed.ts";

describe("MemoryStore", () => {
  test("fails as it is told to, and acknowledges nothing then", () => {
    const store = new MemoryStore();
    store.failWith({ code: "disk-full", message: "no space" });
    expect(store.commit({ put: [record("a")] })).toEqual({
      ok: false,
      error: { code: "disk-full", message: "no space" },
    });
    store.failWith(undefined);
    expect(store.commit({ put: [record("a")] })).toEqual({ ok: true, value: 1 });
  });

  test("makes no backups", async () => {
    expect((await new MemoryStore().backup()).ok).toBe(false);
  });
});
