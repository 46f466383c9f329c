import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { notifyManager } from "./notify.ts";
import { openReceiver } from "./testbed-receiver.ts";

const dir = mkdtempSync(join(tmpdir(), "meridian-notify-"));
afterAll(() => rmSync(dir, { recursive: true }));

describe("notifyManager()", () => {
  test("sends one datagram to a socket in the file system", () => {
    const path = join(dir, "notify");
    using manager = openReceiver(path);
    notifyManager(path, "READY=1");
    expect([manager.next(), manager.next()]).toEqual(["READY=1", null]);
  });

  test("sends to a name in the abstract namespace", () => {
    const name = `meridian-test-${process.pid}`;
    using manager = openReceiver(`\0${name}`);
    notifyManager(`@${name}`, "STATUS=größer\n");
    expect(manager.next()).toBe("STATUS=größer\n");
  });

  test("finds a path with letters of any language", () => {
    const path = join(dir, "größer");
    using manager = openReceiver(path);
    notifyManager(path, "READY=1");
    expect(manager.next()).toBe("READY=1");
  });

  test.each([
    ["without a manager", undefined],
    ["with an empty variable", ""],
    ["with a path that is relative", "notify"],
    ["with one that is too long", `/${"x".repeat(107)}`],
    ["with one where nobody listens", "/nonexistent/notify"],
    ["with a vsock address", "vsock:2:1234"],
  ])("%s does nothing", (_what, path) => {
    expect(notifyManager(path, "READY=1")).toBeUndefined();
  });
});
