import { describe, expect, test } from "vitest";
import { interleave } from "./pairs.ts";
import type { Machine } from "./usage.ts";

/** clockwork is a machine whose time goes on by 100 ticks from look to look; `steals` says how many of them were taken
 *  in each span between two looks. */
function clockwork(steals: readonly number[]): () => Promise<Machine> {
  let at = 0;
  let steal = 0;
  return async () => {
    // A span is what lies between the two looks of one pair.
    if (at % 2 === 1) steal += steals[(at - 1) / 2] ?? 0;
    at += 1;
    return { total: at * 100, steal, idle: 0 };
  };
}

function contenders() {
  const calls: string[] = [];
  let next = 0;
  const contender = (name: string) => async () => {
    calls.push(name);
    next += 1;
    return next;
  };
  return { calls, a: contender("a"), b: contender("b") };
}

describe("interleave()", () => {
  test("measures in turn, after a warm-up that is thrown away", async () => {
    const { calls, a, b } = contenders();
    const { kept, discarded } = await interleave({ a, b, pairs: 2, look: clockwork([]) });
    expect(calls.join("")).toBe("ababab");
    expect(kept).toEqual([
      { a: 3, b: 4 },
      { a: 5, b: 6 },
    ]);
    expect(discarded).toBe(0);
  });

  test("turned, runs every other pair in the other order", async () => {
    const { calls, a, b } = contenders();
    const { kept } = await interleave({ a, b, pairs: 3, turned: true, warmUps: 0, look: clockwork([]) });
    expect(calls.join("")).toBe("abbaab");
    expect(kept).toEqual([
      { a: 1, b: 2 },
      { a: 4, b: 3 },
      { a: 5, b: 6 },
    ]);
  });

  test("measures a pair again when more than 2 % of the time was stolen", async () => {
    const { a, b } = contenders();
    const { kept, discarded } = await interleave({ a, b, pairs: 2, warmUps: 0, look: clockwork([0, 3, 0]) });
    expect(kept).toEqual([
      { a: 1, b: 2 },
      { a: 5, b: 6 },
    ]);
    expect(discarded).toBe(1);
  });

  test("keeps a pair with 2 % stolen", async () => {
    const { a, b } = contenders();
    expect((await interleave({ a, b, pairs: 1, warmUps: 0, look: clockwork([2]) })).kept.length).toBe(1);
  });

  test("gives up after twice as many pairs as were asked for, and says so", async () => {
    const { a, b } = contenders();
    const look = clockwork([50, 50, 50, 50, 50, 50]);
    expect(await interleave({ a, b, pairs: 3, warmUps: 0, look })).toEqual({ kept: [], discarded: 6 });
  });

  test("tells of each pair that is kept", async () => {
    const { a, b } = contenders();
    const said: string[] = [];
    await interleave({ a, b, pairs: 2, look: clockwork([]), say: (text) => said.push(text) });
    expect(said).toEqual(["pair 1 of 2", "pair 2 of 2"]);
  });

  test("stops between pairs when the signal aborts", async () => {
    const stop = new AbortController();
    const { a } = contenders();
    const b = async () => stop.abort(new Error("enough"));
    await expect(interleave<unknown>({ a, b, pairs: 5, warmUps: 0, signal: stop.signal })).rejects.toThrow("enough");
  });

  test.each([0, -1, 1.5])("refuses %d pairs", async (pairs) => {
    const { a, b } = contenders();
    await expect(interleave({ a, b, pairs })).rejects.toThrow(`current value is ${pairs}`);
  });
});
