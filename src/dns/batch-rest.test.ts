import { describe, expect, test } from "vitest";
import { BatchRest } from "./batch-rest.ts";

/** after gives what a listener is told at the end of a second of batches of one size, at an even rate. */
function after(perSecond: number, count: number): number {
  let now = 0;
  const rest = new BatchRest(() => now);
  let last = 0;
  for (; now < 1000; now += (count * 1000) / perSecond) last = rest.after(count);
  return last;
}

describe("after() tells how long to let queries gather", () => {
  test.each([
    ["a quiet listener answers at once", 1000, 1, 0],
    ["so does one with less than 15,000 a second", 14_000, 1, 0],
    ["a busy one rests, but not for long", 16_000, 1, 250],
    ["less the more there is", 60_000, 3, 150],
    ["not where queries gather by themselves", 150_000, 8, 0],
    ["and not before a backlog", 30_000, 25, 0],
  ])("%s", (_, perSecond, count, restUs) => {
    expect(after(perSecond, count)).toBe(restUs);
  });

  test("a listener that falls quiet answers at once again", () => {
    let now = 0;
    const rest = new BatchRest(() => now);
    for (; now < 100; now += 0.03) rest.after(1);
    expect(rest.after(1)).toBe(250);
    const rests = Array.from({ length: 20 }, () => {
      now += 50;
      return rest.after(1);
    });
    expect(rests.at(-1)).toBe(0);
  });
});
