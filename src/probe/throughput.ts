import { err, ok, type Result } from "#values";

/** The throughput test is one TCP connection to the prober's port, numbers big-endian:
 *
 *      client                                   server
 *      "MRDT", version, 3 zero, milliseconds ─>
 *                                          <─  verdict, 1 octet
 *      any octets for that long, then FIN  ──>  counts them
 *                                          <─  "MRDT", octets (8), microseconds from the first to the last (8); FIN  */
export const ASK_BYTES = 12;
export const TALLY_BYTES = 20;
const MAGIC = 0x4d524454;
const VERSION = 1;

/** A test lasts at most so long; the server cuts what exceeds it. */
export const MAX_TEST_MS = 30_000;
/** A side that moves nothing for so long is cut. */
export const IDLE_MS = 3000;

export const VERDICT = { accepted: 1, busy: 2 } as const;

export interface Tally {
  readonly bytes: number;
  readonly micros: number;
}

export function encodeAsk(durationMs: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(ASK_BYTES));
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint32(8, durationMs);
  return new Uint8Array(view.buffer);
}

/** decodeAsk gives the wanted length in milliseconds. */
export function decodeAsk(bytes: Uint8Array): Result<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length !== ASK_BYTES || view.getUint32(0) !== MAGIC) return err("not a throughput test");
  if (view.getUint32(4) !== VERSION << 24) return err("a throughput test of another version");
  const durationMs = view.getUint32(8);
  if (durationMs < 1 || durationMs > MAX_TEST_MS) return err(`a test lasts 1 to ${MAX_TEST_MS} ms: ${durationMs}`);
  return ok(durationMs);
}

export function encodeTally({ bytes, micros }: Tally): Uint8Array {
  const view = new DataView(new ArrayBuffer(TALLY_BYTES));
  view.setUint32(0, MAGIC);
  view.setBigUint64(4, BigInt(bytes));
  view.setBigUint64(12, BigInt(Math.max(1, Math.round(micros))));
  return new Uint8Array(view.buffer);
}

export function decodeTally(bytes: Uint8Array): Result<Tally> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length !== TALLY_BYTES || view.getUint32(0) !== MAGIC) return err("no tally");
  const tally = { bytes: Number(view.getBigUint64(4)), micros: Number(view.getBigUint64(12)) };
  const whole = Number.isSafeInteger(tally.bytes) && Number.isSafeInteger(tally.micros) && tally.micros > 0;
  return whole ? ok(tally) : err("tally out of range");
}

export function bitsPerSecond({ bytes, micros }: Tally): number {
  return (bytes * 8 * 1e6) / micros;
}
