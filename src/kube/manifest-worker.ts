import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import type { ParseAnswer, ParseJob } from "./parse-job.ts";
import { readContent } from "./read-document.ts";

/** The thread that parses large manifest files: one job at a time, one answer each. */

/** Objects to a part: about 25 KiB of JSON, which parses in well under a millisecond. */
const PART = 100;

function work({ file, path, hash: known }: ParseJob): ParseAnswer {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    return { kind: "unreadable", reason: error instanceof Error ? error.message : String(error) };
  }
  const digest = hash("sha256", content);
  if (digest === known) return { kind: "same" };
  const { objects, ...rest } = readContent(file, content);
  const parts: string[] = [];
  for (let at = 0; at < objects.length; at += PART) parts.push(JSON.stringify(objects.slice(at, at + PART)));
  return { kind: "parsed", hash: digest, parts, rest };
}

// On Linux this is the thread's own niceness: reading a folder yields to everything else the daemon does.
setPriority(10);
parentPort?.on("message", (job: ParseJob) => parentPort?.postMessage(work(job)));
