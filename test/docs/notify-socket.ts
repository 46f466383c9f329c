import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const PATIENCE_SECONDS = 20n;

/** NotifySocket is what a service manager gives its services as $NOTIFY_SOCKET (sd_notify(3)). */
export interface NotifySocket extends Disposable {
  readonly path: string;
  /** next is the next message of any service; empty when none came within 20 s. */
  next(): Promise<string>;
}

/** openNotifySocket listens on a socket that every user can reach. Node has no Unix datagram sockets, hence the C
 *  library; the blocking call runs on another thread. */
export function openNotifySocket(): NotifySocket {
  const folder = mkdtempSync(join(tmpdir(), "meridian-notify-"));
  chmodSync(folder, 0o711);
  const path = join(folder, "socket");
  const libc = koffi.load("libc.so.6");
  const socket = libc.func("int socket(int, int, int)");
  const bind = libc.func("int bind(int, const void *, uint32_t)");
  const setsockopt = libc.func("int setsockopt(int, int, int, const void *, uint32_t)");
  const recv = libc.func("int64_t recv(int, _Out_ void *, size_t, int)");
  const close = libc.func("int close(int)");
  const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0) as number;
  const address = Buffer.alloc(2 + path.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2, "latin1");
  if (bind(descriptor, address, address.length) !== 0) throw new Error(`cannot bind ${path}`);
  chmodSync(path, 0o777);
  const timeout = Buffer.alloc(16);
  timeout.writeBigInt64LE(PATIENCE_SECONDS, 0);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
  return {
    path,
    next: () =>
      new Promise((resolve) => {
        const message = Buffer.alloc(4096);
        recv.async(descriptor, message, message.length, 0, (error: unknown, length: number) => {
          resolve(error === null && length > 0 ? message.toString("utf8", 0, length) : "");
        });
      }),
    [Symbol.dispose]: () => {
      close(descriptor);
      rmSync(folder, { recursive: true });
    },
  };
}
