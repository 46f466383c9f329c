import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeFault, runCommand } from "./command.ts";

const NODE = process.execPath;
const script = (text: string): readonly string[] => [NODE, "-e", text];

describe("runCommand()", () => {
  test("gives stdout", async () => {
    expect(await runCommand(["printf", "%s", "größer"])).toEqual({ ok: true, value: "größer" });
  });

  test("never asks a shell", async () => {
    const odd = `$(id); 'a' "b" *`;
    expect(await runCommand(["printf", "%s", odd])).toEqual({ ok: true, value: odd });
  });

  test("hands stdin over, and ends it", async () => {
    const text = "x".repeat(1 << 20);
    const said = await runCommand(["cat"], { stdin: text });
    expect(said.ok && said.value === text).toBe(true);
    expect(await runCommand(["cat"])).toEqual({ ok: true, value: "" });
  });

  test("a program that does not read its stdin is judged by its exit code", async () => {
    expect(await runCommand(["true"], { stdin: "x".repeat(1 << 22) })).toEqual({ ok: true, value: "" });
  });

  test("a missing program is told apart", async () => {
    const said = await runCommand(["meridian-no-such-program", "x"]);
    expect(said).toMatchObject({ ok: false, error: { kind: "missing", code: null } });
    expect(said.ok ? "" : describeFault(said.error)).toBe("meridian-no-such-program is not installed");
  });

  test("one that may not be run is a failure, not a missing one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meridian-command-"));
    writeFileSync(join(folder, "plain"), "#!/bin/sh\n", { mode: 0o644 });
    expect(await runCommand([join(folder, "plain")])).toMatchObject({
      ok: false,
      error: { kind: "failed", code: null },
    });
    rmSync(folder, { recursive: true });
  });

  test("an exit code comes with what stderr said", async () => {
    const said = await runCommand(script(`console.error("one\\ntwo\\nthree\\nfour"); process.exit(3)`));
    expect(said).toMatchObject({ ok: false, error: { kind: "failed", code: 3, stderr: "one\ntwo\nthree\nfour" } });
    expect(said.ok ? "" : describeFault(said.error)).toMatch(/ failed \(exit 3\): one \| two \| three$/);
  });

  test("a program that was killed has no exit code", async () => {
    const said = await runCommand(script("process.kill(process.pid, 'SIGKILL')"));
    expect(said).toMatchObject({ ok: false, error: { kind: "failed", code: null } });
    expect(said.ok ? "" : describeFault(said.error)).toContain("failed (killed)");
  });

  test("more output than may be ends the program, also one that would never end", async () => {
    const said = await runCommand(["yes"], { maxBytes: 10_000 });
    expect(said).toMatchObject({ ok: false, error: { kind: "failed", stderr: "more than 10000 bytes of output" } });
    expect(await runCommand(["printf", "%s", "x".repeat(100)], { maxBytes: 100 })).toMatchObject({ ok: true });
    expect(await runCommand(["printf", "%s", "x".repeat(101)], { maxBytes: 100 })).toMatchObject({ ok: false });
  });

  test("of a long complaint the beginning is kept", async () => {
    const said = await runCommand(script(`process.stderr.write("e".repeat(1 << 20), () => process.exit(1))`));
    expect(said.ok ? 0 : said.error.stderr.length).toBe(65_536);
  });
});

describe("runCommand() with a signal", () => {
  test("rejects with its reason when it aborts, and the program has gone by then", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const running = runCommand(["sleep", "1000"], { signal: stop.signal });
    setImmediate(() => stop.abort(reason));
    await expect(running).rejects.toBe(reason);
  });

  test("does not wait for what the program has started itself", async () => {
    const stop = new AbortController();
    const begin = performance.now();
    const running = runCommand(["sh", "-c", "sleep 5 & wait"], { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(performance.now() - begin).toBeLessThan(4000);
  });

  test("rejects when it has aborted already", async () => {
    await expect(runCommand(["sleep", "1000"], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    await expect(runCommand(["meridian-no-such-program"], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  test("a program that has ended is not touched by a later abort", async () => {
    const stop = new AbortController();
    const said = await runCommand(["true"], { signal: stop.signal });
    stop.abort();
    expect(said).toEqual({ ok: true, value: "" });
  });
});

test("describeFault() cuts a long call", () => {
  const argv = ["nft", "-f", "-", "a", "b", "c", "d", "e"];
  expect(describeFault({ kind: "failed", argv, code: 1, stderr: "no" })).toBe("nft -f - a b c failed (exit 1): no");
});
