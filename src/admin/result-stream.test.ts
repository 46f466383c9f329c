import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { err, ok } from "#values";
import { streamResult } from "./result-stream.ts";

/** A response as far as a stream of results uses it: what is written comes out at the other end. */
function response(): ServerResponse & PassThrough {
  return Object.assign(new PassThrough(), {
    writeHead: () => {},
    flushHeaders: () => {},
  }) as unknown as ServerResponse & PassThrough;
}

describe("streamResult()", () => {
  test("writes progress, then the result", async () => {
    const to = response();
    await streamResult(to, async (progress) => {
      progress("half");
      return ok({ done: true });
    });
    expect(await text(to)).toBe('{"progress":"half"}\n{"result":{"done":true}}\n');
  });

  test("writes code and message of an error, and nothing else of it", async () => {
    const to = response();
    await streamResult(to, async () => err({ code: "conflict", message: "no", inner: "secret" }));
    expect(await text(to)).toBe('{"error":{"code":"conflict","message":"no"}}\n');
  });

  test("says that it failed when the work throws, without the reason, and throws it on", async () => {
    const to = response();
    const work = async (): Promise<never> => {
      throw new Error("secret");
    };
    await expect(streamResult(to, work)).rejects.toThrow("secret");
    expect(await text(to)).toBe('{"error":{"code":"internal","message":"the daemon failed: see its log"}}\n');
  });

  test("leaves out progress that nobody takes, but never the result", async () => {
    const to = response();
    let said = 0;
    await streamResult(to, async (progress) => {
      for (; said < 10_000; said += 1) progress("x".repeat(1000));
      return ok("end");
    });
    const lines = (await text(to)).trimEnd().split("\n");
    expect(lines.length).toBeLessThan(2000);
    expect(lines.at(-1)).toBe('{"result":"end"}');
  });

  test("progress after the end is nobody's", async () => {
    const to = response();
    let late: (line: unknown) => void = () => {};
    await streamResult(to, async (progress) => {
      late = progress;
      return ok(1);
    });
    late("too late");
    expect(await text(to)).toBe('{"result":1}\n');
  });
});
