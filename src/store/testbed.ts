import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "#life";
import { millis, type Result } from "#values";
import { type Envelope, unsealed } from "#wire";
import { openSqliteStore } from "./open-sqlite-store.ts";
import type { Store } from "./store.ts";

/** What the tests of this room share: folders that go away, and a child process that commits until it is stopped. */

export const NOW = millis(1_790_000_000_000);

/** TemporaryFolder is removed with everything in it at the end of its block. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/** temporaryFolder makes an empty one whose name holds this process's number. */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `meridian-store-${process.pid}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** openStore opens a store whose clock stands at NOW and which logs nothing. */
export function openStore(dir: string, limits: { tombstones?: number; auditRows?: number } = {}): Result<Store> {
  return openSqliteStore({ dir, clock: { now: () => NOW }, log: silentLog, ...limits });
}

/** record makes an unsigned record; the store does not look into it. */
export function record(key: string, seq = 1, body: unknown = { seq }): Envelope {
  return unsealed(key, { epoch: 1, seq }, body);
}

/** Commit n of the child: its number in `last`, two records that belong together, every third time a removal, and an
 *  audit line. Acknowledged commits go to stdout, one number a line, each when it is durable; a failed disk ends it. */
const WRITER = `
import { writeSync } from "node:fs";
import { openSqliteStore } from ${JSON.stringify(new URL("./open-sqlite-store.ts", import.meta.url).href)};
const log = { debug() {}, info() {}, warn() {}, error() {} };
const [dir, count] = process.argv.slice(1);
const opened = openSqliteStore({ dir, clock: { now: () => 1 }, log });
if (!opened.ok) throw new Error(opened.error);
const store = opened.value;
const order = (seq) => ({ epoch: 1, seq });
let n = Number(store.record("last")?.envelope.order.seq ?? 0);
for (const end = n + Number(count); n < end; ) {
  n += 1;
  const body = "x".repeat((n * 7919) % 6000);
  const put = ["last", "left/" + (n % 50), "right/" + (n % 50)].map((key) => ({ key, order: order(n), body, signature: null }));
  const audit = [{ time: n, actor: "writer", action: "put", subject: String(n), outcome: "done", detail: "" }];
  const done = store.commit({ put, remove: n % 3 ? [] : ["left/" + (n + 7) % 50, "right/" + (n + 7) % 50], audit });
  if (!done.ok) throw new Error(done.error.code + ": " + done.error.message);
  const fault = await Promise.race([store.failed, new Promise((durable) => store.whenDurable(durable))]);
  if (fault !== undefined) throw new Error(fault.code + ": " + fault.message);
  writeSync(1, n + "\\n");
}
`;

/** A single thread for file operations: strace counts the system calls of each thread by itself. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: "1" };

/** WriterEnd is what is known of a writer that has ended. */
export interface WriterEnd {
  /** Numbers of the acknowledged commits. */
  readonly acknowledged: readonly number[];
  readonly code: number | null;
  readonly stderr: string;
}

/** WriterOptions say how long a writer lives. */
export interface WriterOptions {
  readonly dir: string;
  readonly count: number;
  /** Kill -9 after so many acknowledged commits. */
  readonly killAfter?: number;
  /** A program and its arguments that the writer runs under. */
  readonly under?: readonly string[];
}

/** runWriter runs the child process to its end, or kills it while it goes on committing. */
export async function runWriter({ dir, count, killAfter, under = [] }: WriterOptions): Promise<WriterEnd> {
  const argv = [...under, process.execPath, "--input-type=module", "-e", WRITER, dir, String(count)];
  const child = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "pipe", "pipe"], env: ONE_THREAD });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (killAfter !== undefined && stdout.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  const acknowledged = stdout.split("\n").slice(0, -1).map(Number);
  return { acknowledged, code, stderr };
}

/** wrongAfter says what contradicts the rule that every acknowledged commit is there and none is half there. */
export function wrongAfter(store: Store, acknowledged: readonly number[]): string | undefined {
  const last = store.record("last")?.envelope.order.seq ?? 0;
  const promised = acknowledged.at(-1) ?? 0;
  if (last < promised) return `commit ${promised} was acknowledged, the store ends at ${last}`;
  for (const { envelope } of store.records()) {
    if (!envelope.key.startsWith("left/")) continue;
    const twin = store.record(envelope.key.replace("left", "right"))?.envelope;
    if (twin?.order.seq !== envelope.order.seq || twin.body !== envelope.body) return `${envelope.key} has no twin`;
  }
  const rows = store.verifyAudit();
  return rows.ok && rows.value === last ? undefined : `the audit log ends at ${JSON.stringify(rows)}, expected ${last}`;
}
