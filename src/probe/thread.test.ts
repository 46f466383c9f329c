import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startThread } from "./thread.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thread-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, body: string): Promise<URL> {
  const path = join(folder, `${name}.mjs`);
  await writeFile(
    path,
    `import { workerData } from "node:worker_threads";\nconst { mail, start } = workerData;\n${body}`,
  );
  return pathToFileURL(path);
}

describe("startThread()", () => {
  test("hands over the setup and carries messages both ways", async () => {
    const body = 'mail.on("message", (n) => n === 0 ? mail.close() : mail.postMessage(start + n));';
    const heard: number[] = [];
    const thread = startThread<number, number>(await file("echo", body), { start: 100 }, (n) => heard.push(n));
    for (const n of [1, 2, 0]) thread.post(n);
    await thread.ended;
    expect(heard).toEqual([101, 102]);
  });

  test("ended rejects with what the thread threw", async () => {
    const thread = startThread(await file("broken", 'throw new Error("no luck");'), {}, () => {});
    await expect(thread.ended).rejects.toThrow("no luck");
  });

  test("ended rejects when the thread gave up", async () => {
    const thread = startThread(await file("exit", "process.exit(3);"), {}, () => {});
    await expect(thread.ended).rejects.toThrow("ended with 3");
  });

  test("post() to a thread that has ended is lost without harm", async () => {
    const thread = startThread<never, number>(await file("short", "mail.close();"), {}, () => {});
    await thread.ended;
    expect(() => thread.post(1)).not.toThrow();
  });
});
