import { createRequire } from "node:module";
import type koffi from "koffi";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;

/** notifyManager tells a service manager about this process: sd_notify(3), one datagram to $NOTIFY_SOCKET. Node has no
 *  Unix datagram sockets, hence the C library. Without a manager it does nothing; a fault is no reason to stop. */
export function notifyManager(socketPath: string | undefined, state: string): void {
  if (socketPath === undefined || !/^[/@]/.test(socketPath) || Buffer.byteLength(socketPath) > 107) return;
  try {
    send(socketPath, state);
  } catch {
    // another C library than glibc: such a system has no service manager that waits for this
  }
}

function send(socketPath: string, state: string): void {
  const ffi = createRequire(import.meta.url)("koffi") as typeof koffi; // only where there is a manager to tell
  const libc = ffi.load("libc.so.6");
  const socket = libc.func("int socket(int, int, int)");
  const sendto = libc.func("long sendto(int, const void *, size_t, int, const void *, uint32_t)");
  const close = libc.func("int close(int)");
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number;
  if (descriptor < 0) return;
  const name = Buffer.from(socketPath.replace(/^@/, "\0")); // @: a name in the abstract namespace
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX, 0);
  const address = Buffer.concat([family, name]);
  const message = Buffer.from(state);
  sendto(descriptor, message, message.length, 0, address, address.length);
  close(descriptor);
}
