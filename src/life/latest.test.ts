import { expect, test } from "vitest";
import { Latest } from "./latest.ts";

test("a slow reader skips values and sees the last", async () => {
  const latest = new Latest(1);
  const changed = latest.changed();
  latest.set(2);
  latest.set(3);
  await changed;
  expect(latest.value).toBe(3);
});

test("changed() taken before the value is read misses nothing", async () => {
  const latest = new Latest(0);
  const seen: number[] = [];
  const reader = (async () => {
    while (latest.value < 5) {
      const changed = latest.changed();
      seen.push(latest.value);
      if (latest.value < 5) await changed;
    }
  })();
  for (let value = 1; value <= 5; value += 1) {
    latest.set(value);
    await Promise.resolve();
  }
  await reader;
  expect(latest.value).toBe(5);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test("every waiting reader hears of a change, once", async () => {
  const latest = new Latest("a");
  let heard = 0;
  const readers = [1, 2, 3].map(() => latest.changed().then(() => (heard += 1)));
  latest.set("b");
  latest.set("c");
  await Promise.all(readers);
  expect(heard).toBe(3);
});

test("a new value counts as a change also where it is equal", async () => {
  const latest = new Latest(1);
  const changed = latest.changed();
  latest.set(1);
  await changed;
});
