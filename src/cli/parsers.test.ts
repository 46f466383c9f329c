import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataDir, endpoint, folder, httpUrl, oneOf, path, port, program, span, wholeNumber } from "./parsers.ts";

const dir = mkdtempSync(join(tmpdir(), "meridian-parsers-"));
writeFileSync(join(dir, "file"), "x", { mode: 0o644 });
afterAll(() => rmSync(dir, { recursive: true }));

const error = (result: { ok: boolean; error?: string }): string => result.error ?? "(right)";

describe("numbers and spans", () => {
  test.each(["1", "53", "65535"])("port() takes %s", (text) =>
    expect(port(text)).toEqual({ ok: true, value: Number(text) }),
  );
  test.each(["0", "65536", "-1", "+1", "1.0", "1e3", " 1", "", "0x10"])("port() refuses %j", (text) => {
    expect(error(port(text))).toBe(`must be a whole number, 1 to 65535: ${JSON.stringify(text)}`);
  });

  test("wholeNumber() has both ends", () => {
    const parse = wholeNumber(2, 4);
    expect(["1", "2", "4", "5"].map((text) => parse(text).ok)).toEqual([false, true, true, false]);
  });

  test("span() has both ends, and says them as a user writes them", () => {
    const parse = span("1s", "30d");
    expect(["999ms", "1s", "30d", "31d"].map((text) => parse(text).ok)).toEqual([false, true, true, false]);
    expect(error(parse("31d"))).toBe('must be 1s to 30d: "31d"');
    expect(error(parse("soon"))).toBe('must be a duration, as 500ms, 15m or 24h: "soon"');
  });

  test("oneOf() lists the choices", () => {
    expect(error(oneOf("a")("x"))).toBe('must be a: "x"');
    expect(error(oneOf("a", "b", "c")("x"))).toBe('must be a, b or c: "x"');
    expect(error(oneOf("a")("x".repeat(200))).length).toBeLessThan(100);
  });
});

describe("httpUrl()", () => {
  test.each([
    "https://192.0.2.1:7480",
    "https://broker.example/",
    "http://127.0.0.1:7480",
    "http://[::1]:1",
    "http://localhost:1",
  ])("takes %s", (text) => expect(httpUrl(text)).toEqual({ ok: true, value: text.replace(/\/$/, "") }));
  test.each(["", "192.0.2.1", "ftp://x", "https://", "https://x/path", "https://x?q=1", "https://x#f", "wss://x"])(
    "refuses %j",
    (text) => expect(error(httpUrl(text))).toMatch(/^must be https:\/\/HOST:PORT, or http:\/\/127\.0\.0\.1:PORT/),
  );
  test("keeps a token off the wire, and a password out of the message", () => {
    expect(error(httpUrl("http://192.0.2.1:80"))).toBe(
      "the admin token would go there in clear; write https://192.0.2.1",
    );
    expect(error(httpUrl("http://127.0.0.1.example.com:1"))).toContain("in clear");
    expect(error(httpUrl("https://me:hunter2@x"))).not.toContain("hunter2");
  });
});

describe("places on the disk", () => {
  test("path() is independent of the working directory", () => {
    expect(path("a/../b")).toEqual({ ok: true, value: join(process.cwd(), "b") });
    expect([path("").ok, path("a\0b").ok]).toEqual([false, false]);
  });

  test("folder() is a folder, or could become one", () => {
    expect([folder(dir).ok, folder(join(dir, "new/one")).ok]).toEqual([true, true]);
    expect(error(folder(join(dir, "file/below")))).toBe(`is a file, not a folder: ${dir}/file`);
  });

  test("program() can be run", () => {
    expect(program(process.execPath).ok).toBe(true);
    expect(error(program(join(dir, "file")))).toBe(`cannot be run: ${dir}/file`);
    expect(error(program(join(dir, "gone")))).toBe(`there is no such file: ${dir}/gone`);
    expect(error(program(dir))).toBe(`is no program: ${dir}`);
  });

  test("dataDir() leaves room for a socket's name", () => {
    const most = 107 - "/admin.sock".length - 1;
    expect(dataDir(`/${"x".repeat(most - 1)}`).ok).toBe(true);
    expect(dataDir(`/${"x".repeat(most + 1)}`).ok).toBe(false);
    expect(dataDir(`/${"ü".repeat(60)}`).ok).toBe(false);
  });
});

test.each([
  ["192.0.2.1", { host: "192.0.2.1", port: null }],
  ["192.0.2.1:1", { host: "192.0.2.1", port: 1 }],
  ["fd00::1", { host: "fd00::1", port: null }],
  ["[fd00::1]:51820", { host: "fd00::1", port: 51_820 }],
])("endpoint() takes %s", (text, value) => {
  expect(endpoint(text)).toEqual({ ok: true, value });
});
