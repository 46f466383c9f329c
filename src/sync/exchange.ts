import { setTimeout as pause } from "node:timers/promises";
import { type Envelope, MAX_BATCH, MAX_MARKS, type Mark, type Welcome } from "#wire";
import { SLOW_BYTES } from "./limits.ts";
import type { Line } from "./line.ts";

/** Exchange is a gateway's side of the comparison at the begin of a session: a broker that was restored, or set back,
 *  learns from its members what it has lost, whoever's it is. */
export interface Exchange {
  /** What this gateway has of the chronicle; null where the welcome's digest says that both have the same. */
  marks(welcome: Welcome): Iterable<Mark> | null;
  /** The records behind some keys; of a head all that stands under it, too. */
  records(keys: readonly string[]): Iterable<Envelope>;
}

const FRAME_BYTES = 256 << 10;
/** Between two looks at a socket that is full. */
const PAUSE_MS = 20;

/** sendMarks says what is known here, before the cursor: the answer depends on it. */
export function sendMarks(line: Line, marks: Iterable<Mark> | null): void {
  if (marks === null) return;
  let part: Mark[] = [];
  for (const mark of marks) {
    if (part.length === MAX_MARKS) {
      line.send({ t: "known", marks: part, more: true });
      part = [];
    }
    part.push(mark);
  }
  line.send({ t: "known", marks: part, more: false });
}

/** tell sends what the broker wants, no faster than it goes out; the broker takes it as one when the last has come. */
export async function tell(line: Line, records: Iterable<Envelope>): Promise<void> {
  let put: Envelope[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.body.length + record.key.length;
    if (put.length === MAX_BATCH || (put.length > 0 && bytes + size > FRAME_BYTES)) {
      line.send({ t: "tell", put, more: true });
      [put, bytes] = [[], 0];
      while (line.open && line.buffered > SLOW_BYTES) await pause(PAUSE_MS);
      if (!line.open) return;
    }
    put.push(record);
    bytes += size;
  }
  line.send({ t: "tell", put, more: false });
}
