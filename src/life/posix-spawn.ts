import { Socket } from "node:net";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { err, ok, type Result } from "#values";
import type { Child, StartChild, StartFault } from "./child.ts";

const O_CLOEXEC = 0o2000000;
const O_RDONLY = 0;
const WNOHANG = 1;
const SIGPIPE = 13;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** More than glibc and musl need for their opaque structures (80 and 336 octets), and for a sigset_t (128). */
const OPAQUE_BYTES = 512;
/** Looks at a program that has closed its pipes and not yet ended: nearly all end within the first few turns of the
 *  event loop; then with waits between. */
const LOOKS_AT_ONCE = 8;
const LOOKS_MS = [1, 1, 2, 5, 10, 20] as const;

/** Posix is the part of the C library that starts programs (posix_spawn(3), waitpid(2), pipe2(2)). The calls of
 *  posix_spawn give an error number, the others -1 and errno. */
interface Posix {
  pipe2(ends: Int32Array, flags: number): number;
  close(fd: number): number;
  waitpid(pid: number, status: Int32Array, options: number): number;
  /** spawnp waits until the program has begun, on a thread of libuv's pool. */
  spawnp(
    pid: Int32Array,
    file: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    argv: readonly (string | null)[],
    envp: readonly (string | null)[],
  ): Promise<number>;
  actionsInit(actions: Uint8Array): number;
  actionsDup(actions: Uint8Array, from: number, to: number): number;
  actionsOpen(actions: Uint8Array, fd: number, path: string, flags: number, mode: number): number;
  actionsDestroy(actions: Uint8Array): number;
  attributesInit(attributes: Uint8Array): number;
  attributesFlags(attributes: Uint8Array, flags: number): number;
  attributesDefault(attributes: Uint8Array, signals: Uint8Array): number;
  attributesMask(attributes: Uint8Array, signals: Uint8Array): number;
  attributesDestroy(attributes: Uint8Array): number;
  errno(): number;
  errorCode(errno: number): string;
}

/** loadPosixChild gives a StartChild by posix_spawn, whose child shares the memory of this process until it runs the
 *  program: it costs the same however large this process is. The thread that calls it stands still until then, on a
 *  busy host for many milliseconds; so a thread of the pool does. An error where there is no FFI for this machine. */
export async function loadPosixChild(): Promise<Result<StartChild>> {
  if (process.platform !== "linux") return err(`the constants of ${process.platform} are not known here`);
  try {
    const { default: koffi } = await import("koffi");
    const posix = declare(koffi);
    return ok((argv, withStdin) => posixChild(posix, argv, withStdin));
  } catch (reason) {
    return err(`FFI does not load: ${reason instanceof Error ? reason.message : String(reason)}`);
  }
}

function declare(koffi: typeof import("koffi").default): Posix {
  const c = koffi.load(null);
  const spawnp = c.func(
    "int posix_spawnp(void *pid, const char *file, void *actions, void *attributes, const char **argv, const char **envp)",
  );
  const codes = new Map(Object.entries(koffi.os.errno).map(([code, value]) => [value, code]));
  return {
    pipe2: c.func("int pipe2(void *ends, int flags)"),
    close: c.func("int close(int fd)"),
    waitpid: c.func("int waitpid(int pid, void *status, int options)"),
    spawnp: promisify(spawnp.async) as Posix["spawnp"],
    actionsInit: c.func("int posix_spawn_file_actions_init(void *actions)"),
    actionsDup: c.func("int posix_spawn_file_actions_adddup2(void *actions, int from, int to)"),
    actionsOpen: c.func(
      "int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)",
    ),
    actionsDestroy: c.func("int posix_spawn_file_actions_destroy(void *actions)"),
    attributesInit: c.func("int posix_spawnattr_init(void *attributes)"),
    attributesFlags: c.func("int posix_spawnattr_setflags(void *attributes, short flags)"),
    attributesDefault: c.func("int posix_spawnattr_setsigdefault(void *attributes, void *signals)"),
    attributesMask: c.func("int posix_spawnattr_setsigmask(void *attributes, void *signals)"),
    attributesDestroy: c.func("int posix_spawnattr_destroy(void *attributes)"),
    errno: () => koffi.errno(),
    errorCode: (errno) => codes.get(errno) ?? `errno ${errno}`,
  };
}

/** Pipe is one pipe, seen from here: which end is ours. */
interface Pipe {
  readonly ours: number;
  readonly theirs: number;
}

async function posixChild(
  posix: Posix,
  argv: readonly string[],
  withStdin: boolean,
): Promise<Result<Child, StartFault>> {
  const pipes: Pipe[] = [];
  for (const readsHere of [true, true, ...(withStdin ? [false] : [])]) {
    const pipe = openPipe(posix, readsHere);
    if (!pipe.ok) {
      for (const { ours, theirs } of pipes) for (const fd of [ours, theirs]) posix.close(fd);
      return pipe;
    }
    pipes.push(pipe.value);
  }
  const [stdout, stderr, stdin] = pipes;
  if (stdout === undefined || stderr === undefined) throw new Error("a pipe was opened and not kept");
  const started = await start(posix, argv, [stdin?.theirs ?? null, stdout.theirs, stderr.theirs]);
  for (const { theirs } of pipes) posix.close(theirs); // else our own copy would keep the pipe open for ever
  if (!started.ok) {
    for (const { ours } of pipes) posix.close(ours);
    return started;
  }
  return ok(watched(posix, started.value, stdin?.ours ?? null, stdout.ours, stderr.ours));
}

function openPipe(posix: Posix, readsHere: boolean): Result<Pipe, StartFault> {
  const ends = new Int32Array(2);
  if (posix.pipe2(ends, O_CLOEXEC) === -1) return fault(posix, posix.errno(), "pipe2");
  const [readEnd = -1, writeEnd = -1] = ends;
  return ok(readsHere ? { ours: readEnd, theirs: writeEnd } : { ours: writeEnd, theirs: readEnd });
}

/** start runs posix_spawnp with the given file descriptors as 0, 1 and 2, null being /dev/null, and gives the pid. */
async function start(posix: Posix, argv: readonly string[], [stdin, ...outputs]: readonly (number | null)[]) {
  const [actions, attributes, pid] = [new Uint8Array(OPAQUE_BYTES), new Uint8Array(OPAQUE_BYTES), new Int32Array(1)];
  posix.actionsInit(actions);
  if (stdin == null) posix.actionsOpen(actions, 0, "/dev/null", O_RDONLY, 0);
  else posix.actionsDup(actions, stdin, 0);
  for (const [index, fd] of outputs.entries()) if (fd !== null) posix.actionsDup(actions, fd, index + 1);
  posix.attributesInit(attributes);
  // Node ignores SIGPIPE and may block signals on its threads; what is ignored or blocked would be inherited.
  posix.attributesFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const ignored = new Uint8Array(OPAQUE_BYTES);
  ignored[(SIGPIPE - 1) >> 3] = 1 << ((SIGPIPE - 1) & 7);
  posix.attributesDefault(attributes, ignored);
  posix.attributesMask(attributes, new Uint8Array(OPAQUE_BYTES));
  const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const program = argv[0] ?? "";
  const errno = await posix.spawnp(pid, program, actions, attributes, [...argv, null], [...environment, null]);
  posix.actionsDestroy(actions);
  posix.attributesDestroy(attributes);
  return errno === 0 ? ok(pid[0] ?? 0) : fault(posix, errno, program);
}

function fault(posix: Posix, errno: number, subject: string): Result<never, StartFault> {
  const code = posix.errorCode(errno);
  return err({ code, message: `${subject}: ${code}` });
}

/** watched makes streams of our ends, and learns of the program's end. Until waitpid has been told of it, its number
 *  is given to no other process, so a kill hits nobody else. */
function watched(posix: Posix, pid: number, stdin: number | null, stdout: number, stderr: number): Child {
  const reading = [stdout, stderr].map((fd) => new Socket({ fd, readable: true, writable: false }));
  const [out, complaint] = reading;
  if (out === undefined || complaint === undefined) throw new Error("a stream was made and not kept");
  const life = { alive: true };
  let hurry: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    hurry = resolve;
  });
  const closed = Promise.all(reading.map((stream) => new Promise((resolve) => stream.once("close", resolve))));
  const ended = Promise.race([closed, asked]).then(() => reap(posix, pid, life));
  return {
    stdin: stdin === null ? null : new Socket({ fd: stdin, readable: false, writable: true }),
    stdout: out,
    stderr: complaint,
    ended,
    kill: (signal) => {
      if (life.alive) process.kill(pid, signal);
      hurry();
    },
  };
}

async function reap(posix: Posix, pid: number, life: { alive: boolean }): Promise<number | null> {
  const status = new Int32Array(1);
  for (let look = 0; ; look += 1) {
    const found = posix.waitpid(pid, status, WNOHANG);
    if (found === -1) throw new Error(`waitpid ${pid}: ${posix.errorCode(posix.errno())}`);
    if (found === pid) {
      life.alive = false;
      return exitCode(status[0] ?? 0);
    }
    if (look < LOOKS_AT_ONCE) await immediate();
    else await sleep(LOOKS_MS[Math.min(look - LOOKS_AT_ONCE, LOOKS_MS.length - 1)]);
  }
}

/** exitCode reads a status of waitpid(2): the low seven bits are the signal that ended the program, if one did. */
function exitCode(status: number): number | null {
  return (status & 0x7f) === 0 ? (status >> 8) & 0xff : null;
}
