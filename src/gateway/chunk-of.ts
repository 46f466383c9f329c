import type { Envelope, Tally } from "#wire";

/** Most records in one publication, and most bytes of their bodies. */
export const MAX_RECORDS = 500;
export const MAX_BYTES = 256 << 10;

/** Chunk is as much of a difference as one publication holds; `whole` where that is all of it. */
export interface Chunk {
  readonly put: readonly Envelope[];
  readonly removed: readonly string[];
  readonly whole: boolean;
}

/** chunkOf lists what a broker lacks of ours: `shadow` is what it holds, `mine` what we say, `bodies` the texts. */
export function chunkOf(shadow: Tally, mine: Tally, bodies: ReadonlyMap<string, string>): Chunk {
  const put: Envelope[] = [];
  const removed: string[] = [];
  let bytes = 0;
  for (const { key, gone } of mine.difference(shadow)) {
    if (put.length + removed.length >= MAX_RECORDS || bytes > MAX_BYTES) return { put, removed, whole: false };
    const order = mine.get(key)?.order;
    const body = bodies.get(key);
    if (gone) removed.push(key);
    else if (order !== undefined && body !== undefined) {
      put.push({ key, order, body, signature: null });
      bytes += body.length;
    }
  }
  return { put, removed, whole: true };
}
