import { createHash } from "node:crypto";
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

  test("root() is the hash of 256 hashes, each of 16, each over the sorted lines of its records", () => {
    const list = ["export/a/n/web", "export/a/n/web-2", "export/a/n/web.x", "nodes/a", "export/a/n/w"];
    const tally = tallyOf(list.map((key, seq) => ({ key, seq, digest: `d${seq}` })));
    const leaves = Array.from({ length: 256 }, () => Array.from({ length: 16 }, (): string[] => []));
    for (const [seq, key] of list.entries()) {
      const { bucket, leaf } = leafOf(key);
      leaves[bucket]?.[leaf]?.push(`${key} 1.${seq} d${seq}\n`);
    }
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");
    const buckets = leaves.map((bucket) => sha256(bucket.map((lines) => sha256(lines.sort().join(""))).join("\n")));
    expect(tally.root()).toBe(sha256(buckets.join("\n")));
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

  test("difference() is what one set has that the other has not, and what only the other has", () => {
    fc.assert(
      fc.property(entries, entries, (one, other) => {
        const [mine, theirs] = [new Map(one.map((e) => [e.key, e])), new Map(other.map((e) => [e.key, e]))];
        const news = one.filter(({ key, digest }) => theirs.get(key)?.digest !== digest).map(({ key }) => key);
        const gone = other.filter(({ key }) => !mine.has(key)).map(({ key }) => key);
        const found = [...tallyOf(one).difference(tallyOf(other))];
        expect(found.flatMap(({ key, gone }) => (gone ? [] : [key])).sort()).toEqual(news.sort());
        expect(found.flatMap(({ key, gone }) => (gone ? [key] : [])).sort()).toEqual(gone.sort());
      }),
      { numRuns: 50 },
    );
  });

  test("copy() is another tally of the same records", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const tally = tallyOf(list);
        const twin = tally.copy();
        expect(twin.root()).toBe(tally.root());
        twin.put("new", { epoch: 1, seq: 1 }, "x");
        for (const { key } of list) twin.remove(key);
        expect({ root: tally.root(), count: tally.count }).toEqual({ root: tallyOf(list).root(), count: list.length });
      }),
      { numRuns: 20 },
    );
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

/** The place of a key as docs/records.md has it: FNV-1a of 32 bits; its octets folded by XOR name the bucket, its bits
 *  12 to 15 the leaf. */
function leafOf(key: string): { readonly bucket: number; readonly leaf: number } {
  const sum = [...Buffer.from(key)].reduce((sum, octet) => Math.imul(sum ^ octet, 0x01000193) >>> 0, 0x811c9dc5);
  return { bucket: (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff, leaf: (sum >>> 12) & 0xf };
}
