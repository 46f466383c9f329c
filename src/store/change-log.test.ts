import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expect as must, type Revision } from "#values";
import { openStore, record, temporaryFolder } from "./testbed.ts";

const rev = (n: number): Revision => n as Revision;

describe("ChangeLog", () => {
  test("a reader that follows page by page, whatever the pages, ends with what the store holds", () => {
    const key = fc.constantFrom("a", "b", "c", "d");
    const commit = fc.record({ put: fc.uniqueArray(key), remove: fc.uniqueArray(key) });
    fc.assert(
      fc.property(
        fc.array(commit, { maxLength: 10 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(9),
        (commits, limit, from) => {
          using folder = temporaryFolder();
          const store = must(openStore(folder.path));
          const seen = new Map<string, number>();
          let cursor = rev(0);
          const follow = (): void => {
            while (cursor < store.revision()) {
              const page = store.changesSince(cursor, limit);
              if (page === "too-old") throw new Error("too old");
              for (const gone of page.removed) seen.delete(gone);
              for (const { envelope } of page.put) seen.set(envelope.key, envelope.order.seq);
              expect(page.through).toBeGreaterThan(cursor);
              cursor = page.through;
            }
          };
          for (const [n, { put, remove }] of commits.entries()) {
            store.commit({ put: put.map((name) => record(name, n)), remove });
            if (n === from) follow();
          }
          follow();
          const held = [...store.records()].map(({ envelope }) => [envelope.key, envelope.order.seq]);
          expect([...seen].sort()).toEqual(held);
          store.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  test("prunes whole removals only: the floor is the highest revision that was forgotten", () => {
    using folder = temporaryFolder();
    const store = must(openStore(folder.path, { tombstones: 2 }));
    store.commit({ put: ["a", "b", "c", "d"].map((key) => record(key)) });
    store.commit({ remove: ["a", "b", "c"] });
    expect(store.changesSince(rev(1))).toBe("too-old");
    expect(store.changesSince(rev(2))).toMatchObject({ removed: [], through: 2 });
    store.commit({ remove: ["d"] });
    expect(store.changesSince(rev(2))).toMatchObject({ removed: ["d"], through: 3 });
    store.close();
  });
});
