import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLog, type Log, type LogFormat, type LogLevel, silentLog } from "./log.ts";
import { Secret } from "./secret.ts";

function capture(format: LogFormat, level: LogLevel = "debug"): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog(format, level, { write: (text) => lines.push(text) }), lines };
}

describe("createLog() as JSON", () => {
  test("writes one line with time, level, message and fields", () => {
    const { log, lines } = capture("json");
    log.info("ready", { port: 53, address: null });
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
    expect(line).toEqual({ level: "info", time: expect.any(String), msg: "ready", port: 53, address: null });
    expect(new Date(String(line["time"])).toISOString()).toBe(line["time"]);
  });

  test("any message and field comes back as it was, in one line (CWE-117)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (message, value) => {
        const { log, lines } = capture("json");
        log.warn(message, { value });
        expect(lines.join("").split("\n")).toHaveLength(2);
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({ msg: message, value });
      }),
    );
  });
});

describe("createLog() as text", () => {
  test("writes time, level, message and fields for a person", () => {
    const { log, lines } = capture("text");
    log.error("cannot listen", { address: "10.0.0.1:53", why: "it is taken", tries: 3 });
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} ERROR cannot listen address=10\.0\.0\.1:53 why="it is taken" tries=3\n$/,
    );
  });

  test("no message, value or name of a field can forge a line or command the terminal (CWE-117, CWE-150)", () => {
    const evil = "x\n12:00:00.000 INFO  all is well\r\u001b[2J\u009b31m\u0000\u007f";
    const { log, lines } = capture("text");
    log.info(evil, { value: evil, [evil]: 1, nested: { deep: [evil] } });
    expect(lines.join("").split("\n")).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(lines[0]).toContain("x\\x0a12:00:00.000 INFO  all is well\\x0d\\x1b[2J");
  });

  test("a value cannot pass for another field", () => {
    const { log, lines } = capture("text");
    log.info("join", { cluster: "a admin=true" });
    expect(lines[0]).toContain('cluster="a admin=true"');
  });
});

describe("levels", () => {
  test.each<[LogLevel, readonly string[]]>([
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ])("%s shows %j", (level, shown) => {
    const { log, lines } = capture("json", level);
    for (const each of ["debug", "info", "warn", "error"] as const) log[each]("m");
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(shown);
  });

  test("silentLog says nothing", () => {
    for (const each of ["debug", "info", "warn", "error"] as const) expect(silentLog[each]("m", {})).toBeUndefined();
  });
});

test.each<LogFormat>(["json", "text"])("a Secret in a %s log is not shown, at any depth", (format) => {
  const { log, lines } = capture(format);
  const token = new Secret("hunter2");
  log.info(`token ${token}`, { token, nested: { list: [token] } });
  expect(lines.join("")).not.toContain("hunter2");
  expect(lines.join("")).toContain("(secret)");
});
