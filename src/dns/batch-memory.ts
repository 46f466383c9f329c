import { EDNS_SIZE } from "./iana.ts";
import { SOCKADDR_BYTES } from "./udp-socket.ts";

/** BATCH is how many messages one system call takes or gives at most. */
export const BATCH = 64;
/** A longer query is cut, and then malformed. */
export const RECEIVE_BYTES = 4096;
const SEND_BYTES = EDNS_SIZE + 48;
/** CONTROL_BYTES is room for one IPV6_PKTINFO control message. */
export const CONTROL_BYTES = 64;

/** Layout of `struct mmsghdr` on 64-bit Linux (recvmmsg(2)); little-endian. */
export const MMSGHDR = { bytes: 64, nameLength: 8, iov: 16, iovCount: 24, control: 32, controlLength: 40, length: 56 };
const IOVEC_BYTES = 16;

/** Direction is one array of messages: its place in the memory and its address for the system. */
export interface Direction {
  /** Offset of the first mmsghdr. */
  readonly headers: number;
  readonly names: number;
  readonly controls: number;
  readonly iovecs: number;
  readonly buffers: number;
  readonly bufferBytes: number;
  /** Address of each mmsghdr: sending may have to begin in the middle. */
  readonly addresses: readonly bigint[];
}

/** BatchMemory is one block with everything that recvmmsg and sendmmsg read and write. Pointers are laid out once. */
export interface BatchMemory {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
  readonly received: Direction;
  readonly sent: Direction;
}

const PER_MESSAGE = MMSGHDR.bytes + SOCKADDR_BYTES + CONTROL_BYTES + IOVEC_BYTES;

/** createBatchMemory makes the block; `addressOf` tells where a buffer lies. */
export function createBatchMemory(addressOf: (buffer: ArrayBuffer) => bigint): BatchMemory {
  const receiveBytes = BATCH * (PER_MESSAGE + RECEIVE_BYTES);
  const buffer = new ArrayBuffer(receiveBytes + BATCH * (PER_MESSAGE + SEND_BYTES));
  const base = addressOf(buffer);
  return {
    octets: new Uint8Array(buffer),
    words: new Int32Array(buffer),
    received: direction(buffer, base, 0, RECEIVE_BYTES),
    sent: direction(buffer, base, receiveBytes, SEND_BYTES),
  };
}

/** direction lays out one array: headers, socket addresses, control messages, iovecs, buffers. Each header points to
 *  its own of each, for ever. */
function direction(buffer: ArrayBuffer, base: bigint, start: number, bufferBytes: number): Direction {
  const headers = start;
  const names = headers + BATCH * MMSGHDR.bytes;
  const controls = names + BATCH * SOCKADDR_BYTES;
  const iovecs = controls + BATCH * CONTROL_BYTES;
  const buffers = iovecs + BATCH * IOVEC_BYTES;
  const view = new DataView(buffer);
  const pointer = (at: number, to: number): void => view.setBigUint64(at, base + BigInt(to), true);
  for (let i = 0; i < BATCH; i++) {
    const header = headers + i * MMSGHDR.bytes;
    const iovec = iovecs + i * IOVEC_BYTES;
    pointer(header, names + i * SOCKADDR_BYTES);
    pointer(header + MMSGHDR.iov, iovec);
    view.setBigUint64(header + MMSGHDR.iovCount, 1n, true);
    pointer(header + MMSGHDR.control, controls + i * CONTROL_BYTES);
    pointer(iovec, buffers + i * bufferBytes);
    view.setBigUint64(iovec + 8, BigInt(bufferBytes), true);
  }
  const addresses = Array.from({ length: BATCH }, (_, i) => base + BigInt(headers + i * MMSGHDR.bytes));
  return { headers, names, controls, iovecs, buffers, bufferBytes, addresses };
}
