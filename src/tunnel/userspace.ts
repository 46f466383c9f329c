import { spawn } from "node:child_process";
import { open, readdir, readFile, readlink, rm, stat, truncate } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Clock } from "#life";
import { err, ok, type Result } from "#values";
import { interfaceName } from "./ours.ts";
import { raiseShare } from "./raise-share.ts";

/** A start takes about 30 ms; a busy machine may need much longer. */
const STARTS_WITHIN_MS = 5000;
/** What has not ended by itself after this is killed. */
const STOPS_WITHIN_MS = 2000;
const POLL_MS = 5;
const LOG_LIMIT_BYTES = 1 << 20;

/** socketPath is the control socket of a wireguard-go (wg(8), "userspace"): in the mount namespace, not the network's. */
export function socketPath(index: number): string {
  return `/var/run/wireguard/${interfaceName(index)}.sock`;
}

/** startUserspace starts a wireguard-go for an interface and waits until it can be configured. The process is the
 *  leader of its own session and outlives us; it is in the foreground of it, so that its errors reach its log. */
export async function startUserspace(
  index: number,
  { program, dataDir, clock }: { readonly program: string; readonly dataDir: string; readonly clock: Clock },
): Promise<Result<null>> {
  await rm(socketPath(index), { force: true }); // a killed one leaves its socket behind
  const log = logPath(dataDir, index);
  await using file = await open(log, "a", 0o600);
  const child = spawn(program, ["-f", interfaceName(index)], {
    // setsid: neither our terminal's signals nor our end reach it.
    detached: true,
    stdio: ["ignore", file.fd, file.fd],
    env: { LOG_LEVEL: "error" },
    cwd: "/",
  });
  let ended: string | null = null;
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    ended ??= `it ended with ${code ?? signal}`;
  });
  // Our event loop does not wait for it, nor it for us.
  child.unref();
  // The interface comes first and the socket last, so both are there when the socket answers for an interface.
  const deadline = clock.monotonic() + STARTS_WITHIN_MS;
  while (clock.monotonic() < deadline && ended === null) {
    if ((await linkExists(index)) && (await answers(index))) {
      // Beside the start: nothing depends on it.
      if (child.pid !== undefined) void raiseShare(child.pid, clock);
      return ok(null);
    }
    await clock.sleep(POLL_MS);
  }
  if (ended === null) child.kill("SIGKILL"); // not to be met again by the next try
  return err(`${program} for ${interfaceName(index)}: ${ended ?? "it does not answer"}: ${await lastLine(log)}`);
}

/** watchUserspace resolves when the wireguard-go of an interface is gone, or at once if none answers. It holds a
 *  connection to the control socket: the kernel closes it in the moment the process ends, whoever had started it. */
export function watchUserspace(index: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(index));
    // No timeout and nothing to read: an idle connection costs one file descriptor on each side.
    socket.on("error", () => {}); // "close" follows
    const stop = (): void => void socket.destroy();
    socket.on("close", () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    socket.resume();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** stopUserspace waits for the wireguard-go whose interface was deleted, which ends it, and kills it if it hangs. */
export async function stopUserspace(index: number, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + STOPS_WITHIN_MS;
  while ((await answers(index)) && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  for (const pid of await userspacePids(index)) {
    while (clock.monotonic() < deadline && (await readlink(`/proc/${pid}/exe`).catch(() => ""))) {
      await clock.sleep(POLL_MS);
    }
    try {
      process.kill(pid, "SIGKILL");
    } catch {} // it has ended by itself
  }
  await rm(socketPath(index), { force: true });
}

/** userspacePids finds the processes that serve one interface of this network namespace, by their command lines. */
export async function userspacePids(index: number): Promise<readonly number[]> {
  const here = await readlink("/proc/self/ns/net");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      if (words[1] !== "-f" || words[2] !== interfaceName(index)) return false;
      return (await readlink(`/proc/${pid}/ns/net`).catch(() => "")) === here;
    }),
  );
  return pids.filter((_, i) => found[i]).map(Number);
}

/** linkExists asks the kernel without a fork: /proc/net/dev lists the links of this network namespace. */
export function linkExists(index: number): Promise<boolean> {
  return linkIsThere(interfaceName(index));
}

/** linkIsThere is linkExists for any name without characters that mean something in a pattern. */
export async function linkIsThere(name: string): Promise<boolean> {
  return new RegExp(`^ *${name}:`, "m").test(await readFile("/proc/net/dev", "utf8"));
}

/** linkGone waits until an interface has vanished, as it does shortly after its process; false: it stays. */
export async function linkGone(index: number, clock: Clock): Promise<boolean> {
  const deadline = clock.monotonic() + STOPS_WITHIN_MS;
  while (await linkExists(index)) {
    if (clock.monotonic() > deadline) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

/** goneOrServed waits until an interface has vanished after its process, or has a new one (somebody was faster). */
export async function goneOrServed(index: number, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + STOPS_WITHIN_MS;
  while ((await linkExists(index)) && !(await answers(index)) && clock.monotonic() < deadline) {
    await clock.sleep(POLL_MS);
  }
}

/** trimLog empties a log that has grown past 1 MiB: wireguard-go repeats itself while a peer is out of reach. */
export async function trimLog(index: number, dataDir: string): Promise<void> {
  const path = logPath(dataDir, index);
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await truncate(path);
}

/** answers reports whether a process listens on the control socket: a stale socket refuses. */
function answers(index: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(index));
    socket.on("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}

/** logPath is where the wireguard-go of an interface writes its errors. */
export function logPath(dataDir: string, index: number): string {
  return join(dataDir, `${interfaceName(index)}.log`);
}

/** lastLine is what wireguard-go said last: the reason of its end. */
async function lastLine(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trimEnd().split("\n").at(-1) ?? "";
}
