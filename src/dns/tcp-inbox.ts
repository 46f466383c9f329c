import { MAX_MESSAGE } from "./iana.ts";

const NOTHING = Buffer.alloc(0);
const LENGTH_OCTETS = 2;

/** TcpInbox cuts a stream into messages behind a two-octet length (RFC 1035 section 4.2.2), however it was split. A
 *  message that comes octet by octet is moved as rarely as one that comes at once: what it costs grows with its length,
 *  not with the square of it. */
export class TcpInbox {
  #octets: Buffer = NOTHING;
  #from = 0;
  #to = 0;
  /** Whether the octets are in memory of our own, which may have room behind them. */
  #owned = false;

  /** Octets that are in no message yet. */
  get waiting(): number {
    return this.#to - this.#from;
  }

  /** put adds what came. It is kept as it is where nothing waits, and copied behind what waits otherwise. */
  put(chunk: Buffer): void {
    if (this.waiting === 0) {
      this.#octets = chunk;
      this.#from = 0;
      this.#to = chunk.length;
      this.#owned = false;
      return;
    }
    this.#reserve(chunk.length);
    chunk.copy(this.#octets, this.#to);
    this.#to += chunk.length;
  }

  /** What a whole message, or the part of it that is here, says its length is; undefined before it said so. */
  get length(): number | undefined {
    return this.waiting < LENGTH_OCTETS ? undefined : this.#octets.readUInt16BE(this.#from);
  }

  /** take gives the first message once it is whole. It is good until the next put. */
  take(): Buffer | undefined {
    const { length } = this;
    if (length === undefined || this.waiting < LENGTH_OCTETS + length) return undefined;
    const start = this.#from + LENGTH_OCTETS;
    this.#from = start + length;
    const message = this.#octets.subarray(start, this.#from);
    if (this.waiting === 0) this.#octets = NOTHING;
    return message;
  }

  /** settle lets go of a chunk most of which was taken: what waits is less than one message, and may wait for long. */
  settle(): void {
    if (this.#octets.buffer.byteLength <= 4 * this.waiting || this.waiting === 0) return;
    this.#move(this.waiting);
  }

  /** Room doubles, up to what the longest message and one more chunk need. */
  #reserve(more: number): void {
    if (this.#owned && this.#to + more <= this.#octets.length) return;
    const need = this.waiting + more;
    this.#move(Math.max(need, Math.min(2 * need, LENGTH_OCTETS + MAX_MESSAGE)));
  }

  #move(bytes: number): void {
    const next = Buffer.alloc(bytes);
    const length = this.#octets.copy(next, 0, this.#from, this.#to);
    this.#octets = next;
    this.#from = 0;
    this.#to = length;
    this.#owned = true;
  }
}
