import type { Revision } from "#values";
import { type Envelope, MAX_BATCH } from "#wire";
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
 *  A frame passes FRAME_BYTES only where one record alone does. It is a generator: a large snapshot is made while it
 *  is sent, never held whole. Items are written once, so that their size is known before they are taken. */
export function* batchFrames({ revision, put, removed, snapshot }: Diff): Generator<string> {
  let puts: string[] = [];
  let removes: string[] = [];
  let bytes = 0;
  const frame = (more: boolean): string => {
    const text = `{"t":"batch","revision":${revision},"put":[${puts.join()}],"remove":[${removes.join()}],"snapshot":${snapshot},"more":${more}}`;
    [puts, removes, bytes] = [[], [], 0];
    return text;
  };
  const isFull = (next: number): boolean =>
    puts.length + removes.length > 0 &&
    (puts.length === MAX_BATCH || removes.length === MAX_REMOVES || bytes + next > FRAME_BYTES);
  for (const [list, item] of items(put, removed)) {
    const size = Buffer.byteLength(item) + 1;
    if (isFull(size)) yield frame(true);
    (list === "put" ? puts : removes).push(item);
    bytes += size;
  }
  yield frame(false);
}

function* items(put: Iterable<Envelope>, removed: readonly string[]): Generator<readonly ["put" | "remove", string]> {
  for (const envelope of put) yield ["put", JSON.stringify(envelope)];
  for (const key of removed) yield ["remove", JSON.stringify(key)];
}
