import { readFile } from "node:fs/promises";
import { ok, type Result } from "#values";
import { eventually } from "./eventually.ts";
import type { Job } from "./job.ts";

/** How much of a log an error carries. */
const TAIL = 25;

/** untilReady asks until a job has done what is waited for. Throws with the end of its log when it ends instead, or when
 *  the time is over. */
export async function untilReady(job: Job, ask: () => Promise<Result<unknown>>, timeoutMs = 180_000): Promise<void> {
  let end: string | undefined;
  void job.ended.then((code) => {
    end = `ended with ${code}`;
  });
  const answer = await eventually(
    async () => {
      const asked = await ask();
      return asked.ok || end === undefined ? asked : ok(undefined);
    },
    { timeoutMs, everyMs: 200 },
  );
  if (answer.ok && end === undefined) return;
  throw new Error(`${job.name}: ${end ?? (answer.ok ? "" : answer.error)}\n${await tailOf(job)}`);
}

/** tailOf is the end of what a job has said. */
export async function tailOf({ logFile }: Pick<Job, "logFile">): Promise<string> {
  const text = await readFile(logFile, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-TAIL).join("\n");
}
