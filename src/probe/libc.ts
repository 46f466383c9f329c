import { err, ok, type Result } from "#values";

/** Libc is the part of the C library that the probe thread calls; pointers are addresses. Each gives what the C function
 *  of that name gives (its manual page, section 2 or 3), -1 for an error that errno() names. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: bigint, length: number): number;
  setsockopt(fd: number, level: number, option: number, value: bigint, length: number): number;
  recvmmsg(fd: number, headers: bigint, count: number, flags: number, timeout: bigint): number;
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number;
  ppoll(fds: bigint, count: number, timeout: bigint, mask: bigint): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, buffer: bigint, bytes: number): number;
  clock_gettime(clock: number, time: bigint): number;
  close(fd: number): number;
  if_nametoindex(name: string): number;
  sched_setscheduler(pid: number, policy: number, parameters: bigint): number;
  setpriority(which: number, who: number, nice: number): number;
  /** The error of the call before, as a number and as libuv writes it: "EADDRINUSE". */
  errno(): number;
  errorName(): string;
  /** Memory that never moves and is never freed: the thread lays out its buffers once. */
  memory(bytes: number): Memory;
  /** 32 octets for the arguments of one call. */
  readonly scratch: Memory;
}

export interface Memory {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** loadLibc reaches the C library that Node itself runs on, so it works with glibc and musl. The error says why the
 *  calls cannot be had here: another system, or no koffi for it. */
export async function loadLibc(): Promise<Result<Libc, string>> {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    return err(`the layout of system calls is not known on ${process.platform} ${process.arch}`);
  }
  try {
    const { default: koffi } = await import("koffi");
    return ok(declare(koffi));
  } catch (error) {
    return err(`koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function declare(koffi: typeof import("koffi").default): Libc {
  const c = koffi.load(null);
  const memory = (bytes: number): Memory => {
    const address: bigint = koffi.alloc("uint8_t", bytes);
    const buffer = koffi.view(address, bytes);
    new Uint8Array(buffer).fill(0);
    return { address, bytes: new Uint8Array(buffer), view: new DataView(buffer) };
  };
  const names = new Map(Object.entries(koffi.os.errno).map(([name, code]) => [code, name]));
  return {
    socket: c.func("int socket(int family, int type, int protocol)"),
    bind: c.func("int bind(int fd, void *address, unsigned int length)"),
    setsockopt: c.func("int setsockopt(int fd, int level, int option, void *value, unsigned int length)"),
    recvmmsg: c.func("int recvmmsg(int fd, void *headers, unsigned int count, int flags, void *timeout)"),
    sendmmsg: c.func("int sendmmsg(int fd, void *headers, unsigned int count, int flags)"),
    ppoll: c.func("int ppoll(void *fds, unsigned long count, void *timeout, void *mask)"),
    eventfd: c.func("int eventfd(unsigned int initial, int flags)"),
    read: c.func("long read(int fd, void *buffer, size_t bytes)"),
    clock_gettime: c.func("int clock_gettime(int clock, void *time)"),
    close: c.func("int close(int fd)"),
    if_nametoindex: c.func("unsigned int if_nametoindex(const char *name)"),
    sched_setscheduler: c.func("int sched_setscheduler(int pid, int policy, void *parameters)"),
    setpriority: c.func("int setpriority(int which, unsigned int who, int nice)"),
    errno: () => koffi.errno(),
    errorName: () => names.get(koffi.errno()) ?? `errno ${koffi.errno()}`,
    memory,
    scratch: memory(32),
  };
}
