import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { slices } from "#life";
import type { FileStamp } from "./file-stamp.ts";
import type { Lane } from "./lane.ts";
import { emptyFile, type ManifestObject, type ParsedFile } from "./manifest-object.ts";
import type { ParseAnswer } from "./parse-job.ts";
import type { ParsePool } from "./parse-pool.ts";
import { quickFile } from "./quick-file.ts";

/** Files up to this size are parsed on the main thread, in slices: a thread's start would take longer. */
const SMALL_BYTES = 32_768;
/** A YAML document is parsed in one step, so a large one goes to a worker, too: the full parser takes 0.5 µs a byte. */
const SMALL_DOCUMENT = 8192;
/** Plain files of imports up to this size, some 15,000 of them, are read here as well, since that takes no longer than a
 *  thread's start and what it must load. */
const QUICK_BYTES = 4 << 20;
/** Octets that are hashed in one go: less than a millisecond. */
const HASH_BYTES = 1 << 18;
const MAX_BYTES = 64 << 20;

/** FileReading is what a file says now. */
export type FileReading =
  | { readonly kind: "same" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind: "parsed";
      readonly hash: string;
      /** Read them once; each is a small piece of work. */
      readonly parts: Iterable<readonly ManifestObject[]>;
      readonly rest: Omit<ParsedFile, "objects">;
    };

export interface FileReader {
  readonly dir: string;
  readonly pool: ParsePool;
  /** For all that keeps the main thread busy. */
  readonly lane: Lane;
}

/** readManifestFile reads and parses a file; not the latter where its content has the hash that is known. */
export async function readManifestFile(
  { dir, pool, lane }: FileReader,
  file: string,
  { bytes }: FileStamp,
  known: string | null,
  signal: AbortSignal,
): Promise<FileReading> {
  const path = join(dir, file);
  if (bytes > MAX_BYTES) return { kind: "unreadable", reason: `is larger than ${MAX_BYTES >> 20} MiB` };
  const inWorker = async (): Promise<FileReading> => fromWorker(await pool.parse({ file, path, hash: known }));
  if (bytes > QUICK_BYTES) return inWorker();
  const octets = await readFile(path).catch((error: unknown) => error as Error);
  if (octets instanceof Error) return { kind: "unreadable", reason: octets.message };
  const digest = await lane.run(() => digestOf(octets, signal));
  if (digest === known) return { kind: "same" };
  const content = octets.toString();
  const quick = file.endsWith(".json") ? undefined : await lane.run(() => outcome(quickFile(content), signal));
  if (quick !== undefined) return { kind: "parsed", hash: digest, parts: [quick.objects], rest: quick };
  if (bytes > SMALL_BYTES) return inWorker();
  const read = await readSmall(file, content, lane, signal);
  return read === undefined ? inWorker() : { kind: "parsed", hash: digest, parts: [read.objects], rest: read };
}

/** readSmall reads a small file whatever is in it; undefined where a document is too large for one step. What that takes
 *  is loaded when it is needed: a server of imports alone does without. */
async function readSmall(
  file: string,
  content: string,
  lane: Lane,
  signal: AbortSignal,
): Promise<ParsedFile | undefined> {
  const { documentsOf, readDocument } = await import("./read-document.ts");
  const documents = [...documentsOf(file, content)];
  if (documents.some(({ text }) => text.length > SMALL_DOCUMENT) && !file.endsWith(".json")) return undefined;
  const into = emptyFile();
  await lane.run(() => slices(documents, (document) => readDocument(file, document, into), { signal }));
  return into;
}

async function digestOf(octets: Uint8Array, signal: AbortSignal): Promise<string> {
  const sum = createHash("sha256");
  const pieces = Array.from({ length: Math.ceil(octets.length / HASH_BYTES) }, (_, i) => i * HASH_BYTES);
  await slices(pieces, (at) => void sum.update(octets.subarray(at, at + HASH_BYTES)), { signal });
  return sum.digest("hex");
}

/** outcome takes the steps of a generator, with turns of the event loop between them, and gives what it returns. */
async function outcome<T>(steps: Generator<void, T>, signal: AbortSignal): Promise<T> {
  function* taken(): Generator<void, void> {
    result = { value: yield* steps };
  }
  let result: { readonly value: T } | undefined;
  await slices(taken(), () => {}, { signal });
  if (result === undefined) throw new Error("a reader ended without a result");
  return (result as { readonly value: T }).value;
}

/** The objects of a worker's answer are parsed as they are taken, part by part. */
function fromWorker(answer: ParseAnswer): FileReading {
  return answer.kind === "parsed" ? { ...answer, parts: objectsIn(answer.parts) } : answer;
}

function* objectsIn(parts: readonly string[]): Iterable<readonly ManifestObject[]> {
  for (const part of parts) yield JSON.parse(part) as ManifestObject[]; // written by our own worker
}
