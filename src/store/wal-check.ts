import { MAX_UNSYNCED } from "./log-sync.ts";
import type { SyncedMark } from "./synced-mark.ts";

/** What SQLite itself forgives in a write-ahead log. It ends a log at the first frame whose checksum is wrong, without a
 *  word: right after a crash, where that frame was never acknowledged, but a flipped bit in the middle would silently
 *  drop every commit behind it. Format: sqlite.org/fileformat2.html, section 4. */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** A magic number's last bit says in which byte order the checksums are. */
const MAGIC = 0x377f0682;
/** A log's first salt is drawn when a store is opened, and counts its rounds from there (section 4.1). Nobody writes so
 *  many in one life of a broker, and another life's salt lies this near once in 65,536 times. */
const MOST_ROUNDS = 1 << 16;

/** walDamage says what is wrong with a log, or undefined where it is whole or merely torn at its end. What a mark of the
 *  same round says was on the disk must be whole. Without one, so many commits may lie behind the first bad frame as
 *  may be on their way to the disk at a time: a power failure writes any of their pages and not others. */
export function walDamage(log: Buffer, mark?: SyncedMark): string | undefined {
  if (log.length < HEADER_BYTES || log.subarray(0, HEADER_BYTES).every((octet) => octet === 0)) return undefined;
  const magic = log.readUInt32BE(0);
  const bigEndian = magic === MAGIC + 1;
  if (!bigEndian && magic !== MAGIC) return "its header is damaged";
  const seed = checksum(log.subarray(0, FRAME_HEADER_BYTES), [0, 0], bigEndian);
  if (!sameSum(seed, log, FRAME_HEADER_BYTES)) return "its header is damaged";
  if (mark !== undefined && mark.frames > 0 && roundsSince(mark, log) > MOST_ROUNDS) {
    return "it is an older one, or another store's, and not the log that was written last";
  }
  const frames = framesOf(log);
  const end = firstBadFrame(log, frames, seed, bigEndian);
  if (mark !== undefined && log.compare(mark.salts, 0, 8, 16, 24) === 0 && end < mark.frames) {
    return `frame ${end + 1} is damaged or missing, and ${mark.frames} were on the disk`;
  }
  const behind = frames.slice(end).filter((at) => sameSalt(log, at) && isCommit(log, at)).length;
  return behind > MAX_UNSYNCED
    ? `frame ${end + 1} of ${frames.length} is damaged and ${behind} commits lie behind it`
    : undefined;
}

type Sum = readonly [number, number];

/** How many rounds a log is behind the one that a mark is of; a huge number where it is not of the same life. */
function roundsSince({ salts }: SyncedMark, log: Buffer): number {
  return (log.readUInt32BE(16) - salts.readUInt32BE(0)) >>> 0;
}

/** Where each complete frame begins. */
function framesOf(log: Buffer): readonly number[] {
  const size = FRAME_HEADER_BYTES + log.readUInt32BE(8);
  const count = Math.floor((log.length - HEADER_BYTES) / size);
  return Array.from({ length: count }, (_, i) => HEADER_BYTES + i * size);
}

function firstBadFrame(log: Buffer, frames: readonly number[], seed: Sum, bigEndian: boolean): number {
  const pageSize = log.readUInt32BE(8);
  let sum = seed;
  for (const [i, at] of frames.entries()) {
    if (!sameSalt(log, at)) return i;
    sum = checksum(log.subarray(at, at + 8), sum, bigEndian);
    const page = at + FRAME_HEADER_BYTES;
    sum = checksum(log.subarray(page, page + pageSize), sum, bigEndian);
    if (!sameSum(sum, log, at + 16)) return i;
  }
  return frames.length;
}

/** The running checksum over pairs of 32-bit words (section 4.2). */
function checksum(bytes: Buffer, [first, second]: Sum, bigEndian: boolean): Sum {
  let a = first;
  let b = second;
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    a = (a + (bigEndian ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i)) + b) >>> 0;
    b = (b + (bigEndian ? bytes.readUInt32BE(i + 4) : bytes.readUInt32LE(i + 4)) + a) >>> 0;
  }
  return [a, b];
}

function sameSum([a, b]: Sum, log: Buffer, at: number): boolean {
  return log.readUInt32BE(at) === a && log.readUInt32BE(at + 4) === b;
}

/** Frames of an earlier round of the log have other salts: they are no part of it. */
function sameSalt(log: Buffer, at: number): boolean {
  return log.compare(log, 16, 24, at + 8, at + 16) === 0;
}

/** The last frame of a commit gives the database's size in pages; the others give zero. */
function isCommit(log: Buffer, at: number): boolean {
  return log.readUInt32BE(at + 4) !== 0;
}
