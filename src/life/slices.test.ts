import { describe, expect, test } from "vitest";
import { slices } from "./slices.ts";

/** work keeps the thread busy for some milliseconds. */
function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("slices()", () => {
  test("takes every item, in order, once", async () => {
    const seen: number[] = [];
    await slices(
      Array.from({ length: 10_000 }, (_, at) => at),
      (item) => seen.push(item),
      { budgetMs: 0.1 },
    );
    expect(seen).toEqual(Array.from({ length: 10_000 }, (_, at) => at));
  });

  test("of nothing returns", async () => {
    await slices([], () => expect.fail("there is nothing"));
  });

  test("lets the event loop turn after each budget of work", async () => {
    let turns = 0;
    let busy = true;
    const turn = (): void => {
      turns += 1;
      if (busy) setImmediate(turn);
    };
    setImmediate(turn);
    await slices(Array(20), () => work(1), { budgetMs: 2 });
    busy = false;
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  test("of several lists at once delays the event loop no more than one does, and each has its turns", async () => {
    let turn = 0;
    let busy = true;
    const next = (): void => {
      turn += 1;
      if (busy) setImmediate(next);
    };
    setImmediate(next);
    const begun: { readonly list: number; readonly turn: number }[] = [];
    const list = (name: number) => {
      const step = (): void => {
        begun.push({ list: name, turn });
        work(1);
      };
      return slices(Array(6), step, { budgetMs: 0.5 });
    };
    await Promise.all([list(0), list(1), list(2)]);
    busy = false;
    const later = begun.filter((step) => step.turn > 0).map((step) => step.turn); // all begin where they are called
    expect(new Set(later).size).toBe(later.length);
    expect(begun.slice(-3).map((step) => step.list)).toEqual([0, 1, 2]);
  });

  test("does not give way for little work", async () => {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await slices([1, 2, 3], () => {}, { budgetMs: 1000 });
    expect(turned).toBe(false);
  });

  test("stops between items when the signal aborts", async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const running = slices(
      Array.from({ length: 100 }, (_, at) => at),
      (item) => {
        seen.push(item);
        work(1);
        if (item === 3) stop.abort();
      },
      { budgetMs: 0.5, signal: stop.signal },
    );
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test("a step that throws ends it with that error", async () => {
    const running = slices([1], () => {
      throw new Error("bug");
    });
    await expect(running).rejects.toThrow("bug");
  });

  test("takes an endless source as far as its consumer wants", async () => {
    const stop = new AbortController();
    function* endless(): Generator<number> {
      for (let at = 0; ; at += 1) yield at;
    }
    const running = slices(endless(), (at) => at === 1000 && stop.abort(), { budgetMs: 0, signal: stop.signal });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
  });
});
