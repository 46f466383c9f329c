import type { Troubles } from "#life";
import type { Envelope, Tally } from "#wire";

/** Most records in one publication, and most bytes of their bodies. */
export const MAX_RECORDS = 500;
export const MAX_BYTES = 256 << 10;
/** Largest body of one record: as text in a frame (MAX_FRAME) it grows by its quotes. */
const MAX_BODY = 600_000;
const TOO_LARGE = "export-too-large";

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

/** isTooLarge: what no frame can carry would end every session, so it stays as it was said last, and shows. */
export function isTooLarge({ key, body }: Envelope, troubles: Troubles): boolean {
  if (body.length <= MAX_BODY) {
    troubles.clear(TOO_LARGE, key);
    return false;
  }
  const title = "An export is too large to be published";
  const detail = `${body.length} bytes, the most is ${MAX_BODY}: export fewer endpoints or shorter annotations`;
  troubles.set({ code: TOO_LARGE, severity: "warning", title, subject: key, detail });
  return true;
}
