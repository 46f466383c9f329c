import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock, Troubles } from "#life";
import { followFile } from "./follow-file.ts";

let folder = "";
let path = "";
let troubles: Troubles;
let heard: string[];
let stop: AbortController;
let running: Promise<void>;
/** What the follower waits for, once it has looked. */
let sleeping: PromiseWithResolvers<() => void>;

/** Each sleep lasts until the next look is asked for. */
const clock: Clock = {
  ...systemClock,
  sleep: (_, signal) =>
    new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      sleeping.resolve(resolve);
    }),
};

/** look ends when the follower has looked once more. */
async function look(): Promise<void> {
  const wake = await sleeping.promise;
  sleeping = Promise.withResolvers();
  wake();
  await sleeping.promise;
}

/** put replaces the file whole, as whoever copies it should. */
function put(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const codes = () => troubles.list().map(({ code }) => code);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meridian-follow-"));
  path = join(folder, "network.json");
  [troubles, heard, stop, sleeping] = [new Troubles(), [], new AbortController(), Promise.withResolvers()];
  const room = followFile({ path, clock, troubles, heard: (text) => void heard.push(text) });
  running = room.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await running;
  rmSync(folder, { recursive: true });
});

test("the file is heard when it comes, and again only when it has changed", async () => {
  put("one");
  await look();
  await look();
  expect(heard).toEqual(["one"]);
  put("two");
  await look();
  expect(heard).toEqual(["one", "two"]);
});

test("without the file there is a trouble that names it, which goes when it comes", async () => {
  await look();
  expect(codes()).toEqual(["network-unread"]);
  expect(troubles.list()[0]?.detail).toContain(`${path} is not there`);
  put("one");
  await look();
  expect([heard, codes()]).toEqual([["one"], []]);
});

test("a file that went away and came back unchanged says nothing new: the trouble goes", async () => {
  put("one");
  await look();
  rmSync(path);
  await look();
  expect(codes()).toEqual(["network-unread"]);
  put("one");
  await look();
  expect([heard, codes()]).toEqual([["one"], []]);
});

test("the end of the daemon ends it between two looks", async () => {
  await look();
  stop.abort();
  await expect(running).resolves.toBeUndefined();
});
