import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { slices } from "#life";
import type { FileStamp } from "./file-stamp.ts";
import type { Lane } from "./lane.ts";
import { emptyFile, type ManifestObject, type ParsedFile } from "./manifest-object.ts";
import type { ParseAnswer } from "./parse-job.ts";
import type { ParsePool } from "./parse-pool.ts";
import { documentsOf, readDocument } from "./read-document.ts";

/** Files up to this size are parsed on the main thread, in slices: a thread's start would take longer. */
const SMALL_BYTES = 32_768;
/** A YAML document is parsed in one step, so a large one goes to a worker, too: the full parser takes 0.5 µs a byte. */
const SMALL_DOCUMENT = 8192;
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
  if (bytes > SMALL_BYTES) return inWorker();
  const content = await readFile(path, "utf8").catch((error: unknown) => error as Error);
  if (content instanceof Error) return { kind: "unreadable", reason: content.message };
  const digest = hash("sha256", content);
  if (digest === known) return { kind: "same" };
  const documents = [...documentsOf(file, content)];
  if (documents.some(({ text }) => text.length > SMALL_DOCUMENT) && !file.endsWith(".json")) return inWorker();
  const { objects, ...rest } = emptyFile();
  const into = { objects, ...rest };
  await lane.run(() => slices(documents, (document) => readDocument(file, document, into), { signal }));
  return { kind: "parsed", hash: digest, parts: [into.objects], rest: into };
}

/** The objects of a worker's answer are parsed as they are taken, part by part. */
function fromWorker(answer: ParseAnswer): FileReading {
  return answer.kind === "parsed" ? { ...answer, parts: objectsIn(answer.parts) } : answer;
}

function* objectsIn(parts: readonly string[]): Iterable<readonly ManifestObject[]> {
  for (const part of parts) yield JSON.parse(part) as ManifestObject[]; // written by our own worker
}
