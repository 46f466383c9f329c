/** SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012): a keyed hash of short inputs, which nobody foresees without the
 *  128-bit key. Words of 64 bits are two halves of 32: no BigInt, and nothing is allocated per hash. */
export class SipHash {
  /** The last hash as it stands on the wire: its first and its last four octets, each read as big-endian. */
  first = 0;
  last = 0;
  /** v0 to v3, low half before high half. */
  readonly #v = new Int32Array(8);

  /** hash takes a key of 16 octets and `length` octets of input, and leaves the result in first and last. */
  hash(key: Uint8Array, keyAt: number, input: Uint8Array, at: number, length: number): void {
    this.#begin(key, keyAt);
    const whole = at + (length & ~7);
    for (let place = at; place < whole; place += 8) this.#word(low32(input, place), low32(input, place + 4));
    // The last word is what is left over, with the length in its highest octet.
    let low = 0;
    let high = length << 24;
    for (let i = 0; i < (length & 7); i++) {
      const octet = input[whole + i] as number;
      if (i < 4) low |= octet << (8 * i);
      else high |= octet << (8 * (i - 4));
    }
    this.#word(low, high);
    this.#finish();
  }

  /** The constants spell "somepseudorandomlygeneratedbytes". */
  #begin(key: Uint8Array, at: number): void {
    const v = this.#v;
    for (let half = 0; half < 4; half++) v[half] = v[half + 4] = low32(key, at + 4 * half);
    v[0] = (v[0] as number) ^ 0x70736575;
    v[1] = (v[1] as number) ^ 0x736f6d65;
    v[2] = (v[2] as number) ^ 0x6e646f6d;
    v[3] = (v[3] as number) ^ 0x646f7261;
    v[4] = (v[4] as number) ^ 0x6e657261;
    v[5] = (v[5] as number) ^ 0x6c796765;
    v[6] = (v[6] as number) ^ 0x79746573;
    v[7] = (v[7] as number) ^ 0x74656462;
  }

  /** Two rounds per word of input, four at the end: the 2 and the 4 of the name. */
  #word(low: number, high: number): void {
    const v = this.#v;
    v[6] = (v[6] as number) ^ low;
    v[7] = (v[7] as number) ^ high;
    this.#round();
    this.#round();
    v[0] = (v[0] as number) ^ low;
    v[1] = (v[1] as number) ^ high;
  }

  #finish(): void {
    const v = this.#v;
    v[4] = (v[4] as number) ^ 0xff;
    for (let round = 0; round < 4; round++) this.#round();
    const half = (at: number): number =>
      (v[at] as number) ^ (v[at + 2] as number) ^ (v[at + 4] as number) ^ (v[at + 6] as number);
    this.first = swap32(half(0));
    this.last = swap32(half(1));
  }

  #round(): void {
    this.#mix(0, 2, 13);
    this.#swap(0);
    this.#mix(4, 6, 16);
    this.#mix(0, 6, 21);
    this.#mix(4, 2, 17);
    this.#swap(4);
  }

  /** mix is a += b, b = (b rotated by less than 32 bits) ^ a; both are places of words of 64 bits. */
  #mix(a: number, b: number, bits: number): void {
    const v = this.#v;
    const bl = v[b] as number;
    const bh = v[b + 1] as number;
    const low = ((v[a] as number) >>> 0) + (bl >>> 0);
    const al = low | 0;
    const ah = ((v[a + 1] as number) + bh + (low > 0xffffffff ? 1 : 0)) | 0;
    v[a] = al;
    v[a + 1] = ah;
    v[b] = ((bl << bits) | (bh >>> (32 - bits))) ^ al;
    v[b + 1] = ((bh << bits) | (bl >>> (32 - bits))) ^ ah;
  }

  /** swap rotates a word by 32 bits. */
  #swap(at: number): void {
    const v = this.#v;
    const low = v[at] as number;
    v[at] = v[at + 1] as number;
    v[at + 1] = low;
  }
}

/** low32 reads four octets, the lowest first, as SipHash does. */
function low32(octets: Uint8Array, at: number): number {
  return (
    (octets[at] as number) |
    ((octets[at + 1] as number) << 8) |
    ((octets[at + 2] as number) << 16) |
    ((octets[at + 3] as number) << 24)
  );
}

function swap32(x: number): number {
  return ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}
