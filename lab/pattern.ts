/** A period that is no divisor of any chunk size: a chunk lost, doubled or moved shows. */
const PERIOD = 251;

/** patternAt is a piece of the endless byte sequence 0, 1, …, 250, 0, … from a place on. */
export function patternAt(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (offset + i) % PERIOD;
  return bytes;
}

/** isPattern reports whether bytes are the piece of the sequence that begins at a place. */
export function isPattern(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== (offset + i) % PERIOD) return false;
  }
  return true;
}
