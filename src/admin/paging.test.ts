import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparePlaces, type Page, type Place, pageOf } from "./paging.ts";
import { Refused } from "./problem.ts";

const signal = new AbortController().signal;
const listing = { name: "numbers", place: (n: number) => [n], view: (n: number) => n };

async function* pages(read: () => Iterable<number>, limit: number): AsyncGenerator<Page<number>> {
  let page = await pageOf(read(), listing, { limit }, signal);
  yield page;
  while (page.continue !== null) {
    page = await pageOf(read(), listing, { limit, continue: page.continue }, signal);
    yield page;
  }
}

const sorted = fc.uniqueArray(fc.integer(), { maxLength: 60 }).map((all) => all.toSorted((a, b) => a - b));

describe("pageOf()", () => {
  test("gives every item once and in order, whatever the limit", async () => {
    await fc.assert(
      fc.asyncProperty(sorted, fc.integer({ min: 1, max: 70 }), async (items, limit) => {
        const got = await Array.fromAsync(pages(() => items, limit));
        expect(got.flatMap((page) => page.items)).toEqual(items);
        expect(got.slice(0, -1).every((page) => page.items.length === limit)).toBe(true);
        expect(got).toHaveLength(Math.max(1, Math.ceil(items.length / limit)));
      }),
    );
  });

  test("what stays through all pages comes exactly once, whatever comes and goes meanwhile", async () => {
    await fc.assert(
      fc.asyncProperty(sorted, fc.array(sorted, { maxLength: 20 }), async (stays, passing) => {
        let turn = 0;
        const read = (): readonly number[] => {
          const now = passing[turn++ % Math.max(1, passing.length)] ?? [];
          return [...new Set([...stays, ...now])].toSorted((a, b) => a - b);
        };
        const got = (await Array.fromAsync(pages(read, 5))).flatMap((page) => page.items);
        expect(got.filter((n) => stays.includes(n))).toEqual(stays);
        expect(new Set(got).size).toBe(got.length);
      }),
    );
  });

  test("leaves out what does not belong to the list, without an empty page at its end", async () => {
    const even = { ...listing, wanted: (n: number) => n % 2 === 0 };
    expect(await pageOf([1, 2, 3, 4, 5], even, { limit: 2 }, signal)).toEqual({ items: [2, 4], continue: null });
  });

  test("ends a page at so many bytes, but never before its first item", async () => {
    const heavy = { ...listing, weight: () => 1 << 20 };
    const first = await pageOf([1, 2, 3], heavy, { limit: 10 }, signal);
    expect(first.items).toEqual([1]);
    expect((await pageOf([1, 2, 3], heavy, { limit: 10, continue: first.continue ?? "" }, signal)).items).toEqual([2]);
  });

  test("reads no further than it must", async () => {
    let read = 0;
    const endless = function* (): Generator<number> {
      for (;;) yield read++;
    };
    await pageOf(endless(), listing, { limit: 3 }, signal);
    expect(read).toBeLessThan(6);
  });

  test("takes any text as `continue`, and refuses what it did not write", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json().map((of) => Buffer.from(of).toString("base64url")),
        ),
        async (text) => {
          await expect(pageOf([1], listing, { limit: 1, continue: text }, signal)).rejects.toBeInstanceOf(Refused);
        },
      ),
    );
  });
});

describe("comparePlaces()", () => {
  const place = fc.tuple(fc.integer({ max: 3, min: 0 }), fc.constantFrom("", "a", "b", "ab"));
  test("is a total order", () => {
    fc.assert(
      fc.property(place, place, place, (a: Place, b: Place, c: Place) => {
        expect(Math.sign(comparePlaces(a, b))).toBe(-Math.sign(comparePlaces(b, a)) + 0);
        if (comparePlaces(a, b) <= 0 && comparePlaces(b, c) <= 0) expect(comparePlaces(a, c)).toBeLessThanOrEqual(0);
        expect(comparePlaces(a, b) === 0).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
