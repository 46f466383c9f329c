import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type DnsRecord, query } from "#dns";
import { systemClock } from "#life";
import { expect, parseIp } from "#values";

const HOST = expect(parseIp("127.0.0.1"));
const PATIENCE_MS = 30_000;

/** Contender is one server that answers on loopback. */
export interface Contender extends AsyncDisposable {
  readonly port: number;
  /** Of the process that was started; it may have children. */
  readonly pid: number;
  /** From its start to its first right answer. */
  readonly startMs: number;
}

/** How a server is started, and what it must answer to be there. */
export interface ContenderAsk {
  readonly argv: readonly string[];
  /** CPUs that it may use, from the first on. */
  readonly cpus: number;
  readonly port: number;
  readonly name: string;
  readonly address: string;
  readonly signal: AbortSignal;
}

/** startContender starts a server and waits for its first right answer, asking once a millisecond. Disposed of, it is
 *  ended, and gone when that returns. */
export async function startContender({ argv, cpus, port, name, address, signal }: ContenderAsk): Promise<Contender> {
  const begin = performance.now();
  // As many threads for Go's programs as they have CPUs: they have no use for more.
  const confined = ["-c", `0-${cpus - 1}`, "env", `GOMAXPROCS=${cpus}`, ...argv];
  const child = spawn("taskset", confined, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-2000);
  });
  while (!(await answersRight(port, name, address, signal))) {
    if (child.exitCode === null && performance.now() - begin < PATIENCE_MS && !signal.aborted) continue;
    await end(child);
    signal.throwIfAborted();
    throw new Error(`${argv.slice(0, 3).join(" ")} does not answer on port ${port}: ${said.trim()}`);
  }
  const startMs = performance.now() - begin;
  return { port, pid: child.pid ?? 0, startMs, [Symbol.asyncDispose]: () => end(child) };
}

/** answerOf gives the records of one answer; undefined where there is none in time. */
export async function answerOf(
  port: number,
  name: string,
  type: string,
  signal: AbortSignal,
  timeoutMs = 1000,
): Promise<readonly DnsRecord[] | undefined> {
  const reply = await query({ server: { host: HOST, port }, name, type, timeoutMs, tries: 1 }, signal);
  return reply.ok ? reply.value.answers : undefined;
}

async function answersRight(port: number, name: string, address: string, signal: AbortSignal): Promise<boolean> {
  const answers = await answerOf(port, name, "A", signal, 200);
  if (answers?.some(({ data }) => data === address) === true) return true;
  await systemClock.sleep(1);
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(late);
}
