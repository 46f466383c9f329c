import { describe, expect, test } from "vitest";
import { aborted, isAbort, type Room, runAll } from "./room.ts";

const waits = (name: string, done: string[]): Room => ({
  name,
  async run(signal) {
    await aborted(signal);
    await Promise.resolve(); // what it started takes a moment to stop
    done.push(name);
  },
});
const fails = (name: string, error: unknown): Room => ({
  name,
  run: async () => {
    throw error;
  },
});
const reasonOf = (promise: Promise<void>): Promise<AggregateError> =>
  promise.then(
    () => expect.fail("it did not throw"),
    (error: unknown) => error as AggregateError,
  );

describe("runAll()", () => {
  test("returns when the signal aborts, and only after all have stopped", async () => {
    const stop = new AbortController();
    const done: string[] = [];
    const running = runAll([waits("a", done), waits("b", done)], stop.signal);
    stop.abort();
    await running;
    expect(done.sort()).toEqual(["a", "b"]);
  });

  test("of no rooms returns", async () => {
    await runAll([], new AbortController().signal);
  });

  test("with a signal that has aborted lets each room see it", async () => {
    const done: string[] = [];
    await runAll([waits("a", done)], AbortSignal.abort());
    expect(done).toEqual(["a"]);
  });

  test("one that throws ends them all, and is the reason", async () => {
    const done: string[] = [];
    const fault = new Error("no port");
    const error = await reasonOf(runAll([waits("a", done), fails("b", fault)], new AbortController().signal));
    expect(error.errors).toEqual([fault]);
    expect(error.message).toBe("rooms failed: Error: no port");
    expect(done).toEqual(["a"]);
  });

  test("one that ends early ends them all, and is named", async () => {
    const done: string[] = [];
    const early: Room = { name: "early", run: async () => {} };
    const error = await reasonOf(runAll([early, waits("a", done)], new AbortController().signal));
    expect(error.errors.map(String)).toEqual(["Error: early ended early"]);
    expect(done).toEqual(["a"]);
  });

  test("rooms that throw the abort itself have stopped well", async () => {
    const stop = new AbortController();
    const throws: Room = {
      name: "throws",
      async run(signal) {
        await aborted(signal);
        signal.throwIfAborted();
      },
    };
    const running = runAll([throws], stop.signal);
    stop.abort();
    await running;
  });

  test("an abort that nobody asked for is a fault, and so is a fault while stopping", async () => {
    const unasked = fails("b", new DOMException("x", "AbortError"));
    expect((await reasonOf(runAll([unasked], new AbortController().signal))).errors).toHaveLength(1);
    const stop = new AbortController();
    const late: Room = {
      name: "late",
      async run(signal) {
        await aborted(signal);
        throw new Error("the disk is full");
      },
    };
    const running = reasonOf(runAll([late], stop.signal));
    stop.abort();
    expect((await running).message).toContain("the disk is full");
  });

  test("one that throws before its first await is a fault like others", async () => {
    const sync: Room = {
      name: "sync",
      run() {
        throw new Error("at once");
      },
    };
    expect((await reasonOf(runAll([sync], new AbortController().signal))).message).toContain("at once");
  });
});

describe("isAbort()", () => {
  test.each([
    [new DOMException("x", "AbortError"), true],
    [new DOMException("x", "TimeoutError"), true],
    [Object.assign(new Error("x"), { name: "AbortError" }), true],
    [new Error("AbortError"), false],
    ["AbortError", false],
    [undefined, false],
  ])("of %s is %s", (reason, is) => {
    expect(isAbort(reason)).toBe(is);
  });
});
