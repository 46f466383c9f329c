import { err, ok, type Result } from "#values";

/** Libc is the part of the C library that the batched loop needs. Buffers and addresses both serve as pointers; a
 *  call that fails gives -1 and leaves its reason in errno, as in C. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  recvmmsg(fd: number, messages: bigint, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: bigint, count: number, flags: number): number;
  close(fd: number): number;
  /** Another descriptor of the same socket. */
  dup(fd: number): number;
  usleep(microseconds: number): number;
  /** sched_setattr and sched_getattr(2) of a thread, 0 for the calling one; the former gives 0, the latter fills in. */
  setScheduling(thread: number, attributes: Uint8Array): number;
  getScheduling(thread: number, attributes: Uint8Array): number;
  errno(): number;
  /** Text of an errno, `EADDRINUSE`. */
  errorCode(errno: number): string;
  /** addressOf is where a buffer lies; it stays there while something refers to the buffer. */
  addressOf(buffer: ArrayBuffer): bigint;
}

/** Numbers of two system calls that the C library has no functions for until glibc 2.41. */
const SCHEDULING_CALLS = { x64: { set: 314, get: 315 }, arm64: { set: 274, get: 275 } } as const;

/** loadLibc binds the functions of the C library that Node itself runs on: glibc or musl, whichever that is. An
 *  error where there is no FFI for this machine, or where message headers are laid out differently. */
export async function loadLibc(): Promise<Result<Libc>> {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    return err(`no batched system calls on ${process.platform} ${process.arch}`);
  }
  try {
    const { default: koffi } = await import("koffi");
    const library = koffi.load(null);
    const socket = library.func("int socket(int domain, int type, int protocol)");
    const setsockopt = library.func("int setsockopt(int fd, int level, int name, void *value, uint32_t length)");
    const bind = library.func("int bind(int fd, void *address, uint32_t length)");
    const getsockname = library.func("int getsockname(int fd, void *address, void *length)");
    const recvmmsg = library.func("int recvmmsg(int fd, void *messages, uint32_t n, int flags, void *timeout)");
    const sendmmsg = library.func("int sendmmsg(int fd, void *messages, uint32_t n, int flags)");
    const close = library.func("int close(int fd)");
    const dup = library.func("int dup(int fd)");
    const usleep = library.func("int usleep(uint32_t microseconds)");
    const { set, get } = SCHEDULING_CALLS[process.arch as "x64" | "arm64"];
    const call = library.func("long syscall(long number, long thread, void *attributes, long a, long b)");
    // Linux has one number for EAGAIN and EWOULDBLOCK, and this is its common name.
    const codes = new Map(
      Object.entries(koffi.os.errno)
        .filter(([code]) => code !== "EWOULDBLOCK")
        .map(([code, value]) => [value, code]),
    );
    return ok({
      socket,
      setsockopt,
      bind,
      getsockname,
      recvmmsg,
      sendmmsg,
      close,
      dup,
      usleep,
      setScheduling: (thread, attributes) => call(set, thread, attributes, 0, 0),
      getScheduling: (thread, attributes) => call(get, thread, attributes, attributes.length, 0),
      errno: () => koffi.errno(),
      errorCode: (errno) => codes.get(errno) ?? `errno ${errno}`,
      addressOf: (buffer) => koffi.address(buffer),
    });
  } catch (reason) {
    return err(`FFI does not load: ${reason instanceof Error ? reason.message : String(reason)}`);
  }
}
