import { expect, test } from "vitest";
import type { Clock } from "#life";
import { err, millis, ok, type Result } from "#values";
import { eventually } from "./eventually.ts";

/** A clock that only sleeping moves. */
function sleepyClock(): Clock & { readonly sleeps: number[] } {
  let now = 0;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => millis(now),
    monotonic: () => now,
    sleep: async (span) => {
      sleeps.push(span);
      now += span;
    },
  };
}

function answers(...list: readonly Result<string>[]): () => Promise<Result<string>> {
  let i = 0;
  return async () => list[Math.min(i++, list.length - 1)] ?? err("none");
}

test("eventually() gives the first good answer, without waiting for it if it is the first", async () => {
  const clock = sleepyClock();
  expect(await eventually(answers(ok("now")), { clock })).toEqual(ok("now"));
  expect(clock.sleeps).toEqual([]);
});

test("eventually() asks again after each wait", async () => {
  const clock = sleepyClock();
  const ask = answers(err("no"), err("not yet"), ok("now"));
  expect(await eventually(ask, { clock, everyMs: 50 })).toEqual(ok("now"));
  expect(clock.sleeps).toEqual([50, 50]);
});

test("eventually() gives the last error and the time when it is over", async () => {
  const clock = sleepyClock();
  const ask = answers(err("no"), err("still no"));
  expect(await eventually(ask, { clock, timeoutMs: 200, everyMs: 100 })).toEqual(err("still no (after 200 ms)"));
});
