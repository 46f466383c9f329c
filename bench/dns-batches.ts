import { BATCH, type BatchMemory, CONTROL_BYTES, createBatchMemory, MMSGHDR } from "../src/dns/batch-memory.ts";
import { ip } from "../src/dns/example-services.ts";
import { type Libc, loadLibc } from "../src/dns/libc.ts";
import { openUdpSocket, SOCKADDR_BYTES, socketAddress, type UdpSocket } from "../src/dns/udp-socket.ts";

const MSG_WAITFORONE = 0x10000;

/** DnsBatches is a client that sends and receives many messages by one system call: a generator of load that costs less
 *  than what it measures. One thread each; calls block, for a tenth of a second at most. */
export class DnsBatches {
  readonly #libc: Libc;
  readonly #socket: UdpSocket;
  readonly #memory: BatchMemory;

  private constructor(libc: Libc, socket: UdpSocket, port: number) {
    this.#libc = libc;
    this.#socket = socket;
    this.#memory = createBatchMemory((buffer) => libc.addressOf(buffer));
    const { octets, words, sent } = this.#memory;
    const to = socketAddress(Uint8Array.of(127, 0, 0, 1), port);
    for (let i = 0; i < BATCH; i++) {
      octets.set(to, sent.names + i * SOCKADDR_BYTES);
      words[(sent.headers + i * MMSGHDR.bytes + MMSGHDR.nameLength) >> 2] = 16;
      words[(sent.headers + i * MMSGHDR.bytes + MMSGHDR.controlLength) >> 2] = 0;
    }
  }

  /** open makes a client of a responder at a port of 127.0.0.1. */
  static async open(port: number): Promise<DnsBatches> {
    const libc = await loadLibc();
    if (!libc.ok) throw new Error(libc.error);
    const socket = openUdpSocket(libc.value, { host: ip("127.0.0.1"), port: 0 });
    if (!socket.ok) throw new Error(socket.error);
    return new DnsBatches(libc.value, socket.value, port);
  }

  /** put makes a message the i-th to be sent, under an id. */
  put(i: number, message: Uint8Array, id: number): void {
    const { octets, words, sent } = this.#memory;
    const at = sent.buffers + i * sent.bufferBytes;
    octets.set(message, at);
    octets[at] = id >>> 8;
    octets[at + 1] = id;
    words[((sent.iovecs + i * 16) >> 2) + 2] = message.length;
  }

  /** send sends the first messages that were put. */
  send(count: number): void {
    for (let done = 0; done < count; ) {
      const address = this.#memory.sent.addresses[done] as bigint;
      done += Math.max(0, this.#libc.sendmmsg(this.#socket.fd, address, count - done, 0));
    }
  }

  /** receive waits for at least one reply and gives how many came; 0 when none did in time. */
  receive(): number {
    const { words, received } = this.#memory;
    for (let i = 0; i < BATCH; i++) {
      const header = received.headers + i * MMSGHDR.bytes;
      words[(header + MMSGHDR.nameLength) >> 2] = SOCKADDR_BYTES;
      words[(header + MMSGHDR.controlLength) >> 2] = this.#socket.wildcard ? CONTROL_BYTES : 0;
    }
    const first = received.addresses[0] as bigint;
    return Math.max(0, this.#libc.recvmmsg(this.#socket.fd, first, BATCH, MSG_WAITFORONE, null));
  }

  /** id and code of the i-th reply received. */
  id(i: number): number {
    const at = this.#memory.received.buffers + i * this.#memory.received.bufferBytes;
    return ((this.#memory.octets[at] as number) << 8) | (this.#memory.octets[at + 1] as number);
  }

  rcode(i: number): number {
    const at = this.#memory.received.buffers + i * this.#memory.received.bufferBytes;
    return (this.#memory.octets[at + 3] as number) & 15;
  }

  close(): void {
    this.#libc.close(this.#socket.fd);
  }
}
