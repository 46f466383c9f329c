import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { inTurn } from "./in-turn.ts";

test("inTurn() takes one item in each turn, in their order, also of those that come meanwhile", async () => {
  const taken: number[] = [];
  const offer = inTurn<number>((item) => {
    taken.push(item);
    if (item === 2) offer(4);
  });
  for (const item of [1, 2, 3]) offer(item);
  expect(taken).toEqual([]);
  for (let turn = 1; turn <= 4; turn += 1) {
    await nextTurn();
    expect(taken).toEqual([1, 2, 3, 4].slice(0, turn));
  }
  offer(5);
  await nextTurn();
  expect(taken).toEqual([1, 2, 3, 4, 5]);
});
