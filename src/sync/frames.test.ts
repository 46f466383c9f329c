import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expect as must, type Revision } from "#values";
import { type Batch, decodeFromBroker, type Envelope, MAX_BATCH, MAX_FRAME } from "#wire";
import { batchFrames, type Diff } from "./frames.ts";
import { FRAME_BYTES } from "./limits.ts";
import { record } from "./testbed.ts";

const diff = (change: Partial<Diff>): Diff => ({
  revision: 7 as Revision,
  put: [],
  removed: [],
  snapshot: false,
  ...change,
});
const batchesOf = (of: Diff): Batch[] =>
  [...batchFrames(of)].map((frame) => must(decodeFromBroker(frame)) as unknown as Batch);

describe("batchFrames()", () => {
  test("writes an empty difference as one empty batch", () => {
    expect(batchesOf(diff({}))).toMatchObject([{ revision: 7, put: [], remove: [], snapshot: false, more: false }]);
  });

  test("keeps records as they are, byte for byte", () => {
    const odd: Envelope = { ...record("a"), body: '{"a":"\\u2028é\\"\\\\","b":[1,2]}' };
    expect(batchesOf(diff({ put: [odd] }))[0]?.put).toEqual([odd]);
  });

  test("marks all frames but the last, so that they are applied as one", () => {
    const put = Array.from({ length: 2 * MAX_BATCH + 1 }, (_, i) => record(`s${i}`));
    const batches = batchesOf(diff({ put, snapshot: true }));
    expect(batches.map(({ more }) => more)).toEqual([true, true, false]);
    expect(batches.every(({ snapshot }) => snapshot)).toBe(true);
    expect(batches.flatMap((batch) => batch.put)).toEqual(put);
  });

  test("never writes a frame that the other end would refuse, however large the records are", () => {
    const sizes = fc.array(fc.oneof(fc.nat(2000), fc.integer({ min: 100_000, max: 900_000 })), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.nat(5000), (bodies, removals) => {
        const put = bodies.map((size, i) => record(`s${i}`, size));
        const removed = Array.from(
          { length: removals },
          (_, i) => `export/amber/${"n".repeat(63)}/${"s".repeat(50)}-${i}`,
        );
        const frames = [...batchFrames(diff({ put, removed }))];
        for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThan(MAX_FRAME);
        const batches = frames.map((frame) => must(decodeFromBroker(frame)) as unknown as Batch);
        expect(batches.flatMap((batch) => batch.put)).toHaveLength(put.length);
        expect(batches.flatMap((batch) => batch.remove)).toEqual(removed);
      }),
      { numRuns: 30 },
    );
  });

  test("counts octets, not characters", () => {
    const put = Array.from({ length: 4 }, (_, i) => ({ ...record(`s${i}`), body: "é".repeat(15_000) }));
    for (const frame of batchFrames(diff({ put }))) expect(Buffer.byteLength(frame)).toBeLessThan(FRAME_BYTES + 200);
  });

  test("makes a frame only when it is asked for one", () => {
    let made = 0;
    function* records(): Generator<Envelope> {
      for (;;) {
        made += 1;
        yield record(`s${made}`, 1000);
      }
    }
    const frames = batchFrames(diff({ put: records() }));
    frames.next();
    expect(made).toBeLessThan(250);
  });
});
