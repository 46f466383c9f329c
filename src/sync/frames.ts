import type { Revision } from "#values";
import { type Batch, type Envelope, encode, MAX_BATCH } from "#wire";
import { FRAME_BYTES } from "./limits.ts";

/** Diff is what a reader lacks: the latest state of what changed, not each step of the way. */
export interface Diff {
  readonly revision: Revision;
  readonly put: Iterable<Envelope>;
  readonly removed: readonly string[];
  readonly snapshot: boolean;
}

const MAX_REMOVES = MAX_BATCH * 4;

/** batchFrames writes a diff as frames of bounded size; all but the last carry `more`, so it is applied as one.
 *  It is a generator: a large snapshot is made while it is sent, never held whole. */
export function* batchFrames({ revision, put, removed, snapshot }: Diff): Generator<string> {
  let chunk: Envelope[] = [];
  let bytes = 0;
  let rest = removed;
  const frame = (more: boolean): string => {
    const remove = rest.slice(0, MAX_REMOVES);
    rest = rest.slice(MAX_REMOVES);
    const batch: Batch = { revision, put: chunk, remove: [...remove], snapshot, more };
    chunk = [];
    bytes = 0;
    return encode({ t: "batch", ...batch });
  };
  for (const envelope of put) {
    if (chunk.length === MAX_BATCH || bytes > FRAME_BYTES) yield frame(true);
    chunk.push(envelope);
    bytes += envelope.body.length + envelope.key.length + 200;
  }
  while (rest.length > MAX_REMOVES) yield frame(true);
  yield frame(false);
}
