import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "#life";
import type { ParseAnswer } from "./parse-job.ts";
import { ParsePool } from "./parse-pool.ts";

const NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
let dir = "";
/** Ends of the rests that were begun. */
let rests: (() => void)[] = [];
const clock: Clock = {
  ...systemClock,
  sleep: (_, signal) =>
    new Promise((resolve, reject) => {
      rests.push(resolve);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
};
let pool = new ParsePool(clock, 2);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "pool-"));
  rests = [];
  pool = new ParsePool(clock, 2);
});
afterEach(async () => {
  await pool.close();
  await rm(dir, { recursive: true });
});

async function job(file: string, content: string, hash: string | null = null) {
  await writeFile(join(dir, file), content);
  return { file, path: join(dir, file), hash };
}

function objectsIn(answer: ParseAnswer): unknown[] {
  return answer.kind === "parsed" ? answer.parts.flatMap((part) => JSON.parse(part) as unknown[]) : [answer];
}

test("ParsePool parses in another thread, and gives objects in parts", async () => {
  const answer = await pool.parse(await job("a.yaml", Array.from({ length: 250 }, () => NAMESPACE).join("---\n")));
  expect(answer).toMatchObject({ kind: "parsed", parts: { length: 3 }, rest: { faults: [], ignored: 0 } });
  expect(objectsIn(answer)).toHaveLength(250);
});

test("ParsePool runs at most two threads, however much there is to do", async () => {
  const jobs = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => job(`${n}.yaml`, NAMESPACE)));
  const answers = jobs.map((one) => pool.parse(one));
  expect(pool.workers).toBe(2);
  for (const answer of await Promise.all(answers)) expect(objectsIn(answer)).toMatchObject([{ name: "shop" }]);
  expect(pool.workers).toBe(2);
});

test("ParsePool does not parse again what is known by its hash", async () => {
  const first = await pool.parse(await job("a.yaml", NAMESPACE));
  const hash = first.kind === "parsed" ? first.hash : null;
  expect(await pool.parse(await job("a.yaml", NAMESPACE, hash))).toEqual({ kind: "same" });
});

test("ParsePool says that a file cannot be read", async () => {
  const answer = await pool.parse({ file: "x.yaml", path: join(dir, "x.yaml"), hash: null });
  expect(answer).toMatchObject({ kind: "unreadable", reason: expect.stringContaining("ENOENT") });
});

test("ParsePool ends its threads when they have rested long enough, and starts anew", async () => {
  const one = await job("a.yaml", NAMESPACE);
  await pool.parse(one);
  expect(pool.workers).toBe(1);
  for (const end of rests) end();
  await Promise.resolve();
  expect(pool.workers).toBe(0);
  expect(objectsIn(await pool.parse(one))).toHaveLength(1);
});

test("ParsePool answers everything when it closes, and starts nothing after", async () => {
  const one = await job("a.yaml", NAMESPACE);
  const answers = [1, 2, 3, 4].map(() => pool.parse(one));
  await pool.close();
  for (const answer of await Promise.all(answers)) expect(answer.kind).toBe("unreadable");
  expect((await pool.parse(one)).kind).toBe("unreadable");
  expect(pool.workers).toBe(0);
});
