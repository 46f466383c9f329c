import koffi from "koffi";

/** Numbers of the Linux ABI (socket(7), udp(7), recvmmsg(2)), the same on x64 and arm64. */
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const MSG_DONTWAIT = 0x40;
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;

const RECEIVE_BUFFER = 4 << 20;
/** Messages a call: as many as the kernel cuts one large datagram into (UDP_MAX_SEGMENTS). */
export const LOAD_BATCH = 64;
/** A reply is at most 1232 octets; a power of two makes room for it. */
export const REPLY_BYTES = 2048;

const libc = koffi.load(null);
const socket = libc.func("int socket(int domain, int type, int protocol)");
const setsockopt = libc.func("int setsockopt(int fd, int level, int name, void *value, uint32_t length)");
const connect = libc.func("int connect(int fd, void *address, uint32_t length)");
const recvmmsg = libc.func("int recvmmsg(int fd, void *messages, uint32_t n, int flags, void *timeout)");
const sendmmsg = libc.func("int sendmmsg(int fd, void *messages, uint32_t n, int flags)");
const send = libc.func("int send(int fd, void *octets, size_t length, int flags)");

/** LoadSockets is some UDP sockets connected to one server, and one memory through which all of them send and receive.
 *  Queries of one length go out as one large datagram that the kernel cuts (UDP_SEGMENT), since a generator that pays
 *  as much for a query as the server does cannot drive it to its limit. */
export class LoadSockets {
  /** Of the i-th reply received: octets `i * REPLY_BYTES` on, and its length. */
  readonly replies: Uint8Array;
  readonly #fds: readonly number[];
  /** Queries to send, one behind the other. */
  readonly #out: Uint8Array;
  readonly #outAddress: bigint;
  readonly #received: { readonly words: Int32Array; readonly address: bigint };
  readonly #sent: { readonly words: Int32Array; readonly address: bigint; readonly pointers: DataView };
  /** Length of all queries; 0 where they differ. */
  readonly #length: number;
  readonly #stride: number;

  constructor(server: { readonly host: string; readonly port: number }, count: number, lengths: readonly number[]) {
    const longest = Math.max(...lengths);
    this.#length = lengths.every((length) => length === longest) ? longest : 0;
    this.#stride = longest;
    this.replies = new Uint8Array(LOAD_BATCH * REPLY_BYTES);
    this.#out = new Uint8Array(LOAD_BATCH * longest);
    this.#outAddress = koffi.address(this.#out);
    this.#received = headers(koffi.address(this.replies), REPLY_BYTES);
    this.#sent = headers(this.#outAddress, longest);
    this.#fds = Array.from({ length: count }, () => open(server, this.#length));
  }

  get count(): number {
    return this.#fds.length;
  }

  /** put copies a query into the k-th place to send from, with an id. */
  put(k: number, octets: Uint8Array, at: number, length: number, id: number): void {
    const out = this.#out;
    const start = k * this.#stride;
    for (let i = 2; i < length; i++) out[start + i] = octets[at + i] as number;
    out[start] = id >>> 8;
    out[start + 1] = id;
    if (this.#length === 0) this.#sent.words[k * (IOVEC_BYTES / 4) + LOAD_BATCH * (MMSGHDR_BYTES / 4) + 2] = length;
  }

  /** send sends the first n places from one socket, and reports whether the system took them. */
  send(which: number, n: number): boolean {
    const fd = this.#fds[which] as number;
    if (this.#length > 0) return send(fd, this.#outAddress, n * this.#length, 0) > 0;
    return sendmmsg(fd, this.#sent.address, n, 0) === n;
  }

  /** receive takes what one socket has, without waiting, and gives how many messages that is. */
  receive(which: number): number {
    const count = recvmmsg(
      this.#fds[which] as number,
      this.#received.address,
      LOAD_BATCH,
      MSG_DONTWAIT,
      null,
    ) as number;
    return Math.max(count, 0);
  }

  /** Length of the i-th reply received. */
  replyLength(i: number): number {
    return this.#received.words[i * (MMSGHDR_BYTES / 4) + 14] as number;
  }
}

/** headers lays out mmsghdr and iovec of each message once: no name, since the socket is connected, and its buffer. */
function headers(buffers: bigint, stride: number) {
  const memory = new ArrayBuffer(LOAD_BATCH * (MMSGHDR_BYTES + IOVEC_BYTES));
  const address: bigint = koffi.address(memory);
  const pointers = new DataView(memory);
  for (let i = 0; i < LOAD_BATCH; i++) {
    const iovec = LOAD_BATCH * MMSGHDR_BYTES + i * IOVEC_BYTES;
    pointers.setBigUint64(i * MMSGHDR_BYTES + 16, address + BigInt(iovec), true);
    pointers.setBigUint64(i * MMSGHDR_BYTES + 24, 1n, true);
    pointers.setBigUint64(iovec, buffers + BigInt(i * stride), true);
    pointers.setBigUint64(iovec + 8, BigInt(stride), true);
  }
  return { words: new Int32Array(memory), address, pointers };
}

/** open connects a socket; `segment` is the length into which what it sends is cut, 0 for not at all. */
function open({ host, port }: { readonly host: string; readonly port: number }, segment: number): number {
  const fd: number = socket(AF_INET, SOCK_DGRAM, 0);
  const set = (level: number, name: number, value: number): number =>
    setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4);
  set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
  if (segment > 0 && set(SOL_UDP, UDP_SEGMENT, segment) !== 0) throw new Error("this kernel has no UDP_SEGMENT");
  const name = new Uint8Array(16);
  name.set([AF_INET, 0, port >>> 8, port & 255, ...host.split(".").map(Number)]);
  if (fd < 0 || connect(fd, name, name.length) !== 0) throw new Error(`cannot connect to ${host}:${port}`);
  return fd;
}
