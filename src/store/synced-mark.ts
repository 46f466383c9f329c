import { crc32 } from "node:zlib";

/** SyncedMark says how much of a log was on the disk for certain: so many frames of the round that has these salts. */
export interface SyncedMark {
  readonly salts: Buffer;
  readonly frames: number;
}

/** Salts, frames, and a checksum over both. */
const BYTES = 16;

/** markBytes writes a mark. */
export function markBytes({ salts, frames }: SyncedMark): Buffer {
  const bytes = Buffer.alloc(BYTES);
  salts.copy(bytes, 0, 0, 8);
  bytes.writeUInt32BE(frames, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/** readMark reads one; undefined where there is none, or a wrong one. A mark is never synced itself: an old one claims
 *  less than is true, and none claims nothing, but what one claims was so. */
export function readMark(bytes: Buffer): SyncedMark | undefined {
  if (bytes.length !== BYTES || crc32(bytes.subarray(0, 12)) !== bytes.readUInt32BE(12)) return undefined;
  return { salts: bytes.subarray(0, 8), frames: bytes.readUInt32BE(8) };
}
