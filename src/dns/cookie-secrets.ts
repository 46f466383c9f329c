/** Octets of a server secret (RFC 9018 section 4.4). */
export const SECRET_BYTES = 16;
/** The word of the current slot, padded to 16 octets, and three slots. */
const SLOTS_AT = 16;
const SLOTS = 3;

/** cookieMemory is room for the secrets that all threads share. */
export function cookieMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS_AT + SLOTS * SECRET_BYTES);
}

/** CookieSecrets are the secret that makes cookies and the one before it, which is still believed (RFC 9018 section 5).
 *  One thread writes, any read, none waits: a new secret goes into the slot that nobody uses, and then one store makes it
 *  the current one. */
export class CookieSecrets {
  readonly octets: Uint8Array;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.octets = new Uint8Array(memory);
    this.#words = new Int32Array(memory, 0, 1);
  }

  /** set is what is believed from now on: memory of zeros would be a secret that everybody knows. */
  set(current: Uint8Array, previous: Uint8Array = current): void {
    this.rotate(previous);
    this.rotate(current);
  }

  /** rotate makes a secret the current one, and the current one the one before. */
  rotate(secret: Uint8Array): void {
    if (secret.length !== SECRET_BYTES) {
      throw new RangeError(`a cookie secret is ${SECRET_BYTES} octets: current length is ${secret.length}`);
    }
    const next = (Atomics.load(this.#words, 0) + 1) % SLOTS;
    this.octets.set(secret, SLOTS_AT + next * SECRET_BYTES);
    Atomics.store(this.#words, 0, next);
  }

  /** Where the current secret lies among the octets. */
  get current(): number {
    return SLOTS_AT + Atomics.load(this.#words, 0) * SECRET_BYTES;
  }

  /** Where the secret before it lies. */
  get previous(): number {
    return SLOTS_AT + ((Atomics.load(this.#words, 0) + SLOTS - 1) % SLOTS) * SECRET_BYTES;
  }
}
