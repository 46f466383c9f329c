import koffi from "koffi";

/** Receiver is what a service manager has: a Unix datagram socket, which Node itself cannot make. */
export interface Receiver extends Disposable {
  /** The oldest datagram that waits; null where none does. */
  next(): string | null;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** openReceiver binds a path, or after a zero octet a name in the abstract namespace. */
export function openReceiver(name: string): Receiver {
  const libc = koffi.load("libc.so.6");
  const socket = libc.func("int socket(int, int, int)");
  const bind = libc.func("int bind(int, const void *, uint32_t)");
  const recv = libc.func("long recv(int, _Out_ void *, size_t, int)");
  const close = libc.func("int close(int)");
  const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0) as number;
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
  if (bind(descriptor, address, address.length) !== 0) throw new Error(`cannot bind ${name}`);
  return {
    next: () => {
      const buffer = Buffer.alloc(256);
      const length = Number(recv(descriptor, buffer, buffer.length, MSG_DONTWAIT));
      return length < 0 ? null : buffer.toString("utf8", 0, length);
    },
    [Symbol.dispose]: () => void close(descriptor),
  };
}
