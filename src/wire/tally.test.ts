import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Tally } from "./tally.ts";

const entries = fc.uniqueArray(
  fc.record({ key: fc.string({ minLength: 1, maxLength: 12 }), seq: fc.nat(), digest: fc.string() }),
  { selector: ({ key }) => key, maxLength: 60 },
);

describe("Tally", () => {
  test("root() does not depend on the order in which records came", () => {
    fc.assert(
      fc.property(entries, fc.infiniteStream(fc.nat()), (list, random) => {
        const shuffled = [...list].sort(() => ((random.next().value as number) % 3) - 1);
        expect(tallyOf(shuffled).root()).toBe(tallyOf(list).root());
      }),
      { numRuns: 50 },
    );
  });

  test("root() is another for another key, order or digest", () => {
    const base = [{ key: "a", seq: 1, digest: "x" }];
    const roots = [
      base,
      [{ key: "b", seq: 1, digest: "x" }],
      [{ key: "a", seq: 2, digest: "x" }],
      [{ key: "a", seq: 1, digest: "y" }],
      [],
    ].map((list) => tallyOf(list).root());
    expect(new Set(roots).size).toBe(5);
  });

  test("preview() tells what would be, and changes nothing", () => {
    fc.assert(
      fc.property(entries, entries, (list, more) => {
        const tally = tallyOf(list);
        const before = { root: tally.root(), count: tally.count };
        const removed = list.slice(0, 3).map(({ key }) => key);
        const puts = more
          .filter(({ key }) => !removed.includes(key))
          .map(({ key, seq, digest }) => ({ key, order: { epoch: 1, seq }, digest }));
        const preview = tally.preview(puts, removed);
        expect({ root: tally.root(), count: tally.count }).toEqual(before);
        for (const key of removed) tally.remove(key);
        for (const { key, order, digest } of puts) tally.put(key, order, digest);
        expect({ root: tally.root(), count: tally.count }).toEqual(preview);
      }),
      { numRuns: 50 },
    );
  });
});

function tallyOf(list: readonly { key: string; seq: number; digest: string }[]): Tally {
  const tally = new Tally();
  for (const { key, seq, digest } of list) tally.put(key, { epoch: 1, seq }, digest);
  return tally;
}
