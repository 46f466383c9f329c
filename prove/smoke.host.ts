import { test } from "vitest";
import { inRun } from "../bench/index.ts";
import { proveAnnouncing } from "./line-3-announce.ts";
import { proveMany } from "./line-5-many-exports.ts";

const silent = () => {};

// Both at once: each has clusters of its own, and waits for most of its time.
test.concurrent("proveMany() has every name of a small folder answered right, reachable and in the table", async ({
  expect,
}) => {
  const { measured, details } = await inRun((run) => proveMany(run, 200, silent));
  expect(measured).toMatch(/^200 of 200 answered right/);
  expect(details).toContain("4 of 4 connected to at once gave their page; 200 of 200 afterwards");
  expect(details).toContain("200 entries in the service table of the importing node");
  expect(measured).toMatch(/RSS \d+ MiB at most, loop p99 \d/);
});

test.concurrent("proveAnnouncing() sees both kinds appear, reachable at once, and go without cutting a download", async ({
  expect,
}) => {
  const { measured } = await inRun((run) => proveAnnouncing(run, 2, silent));
  expect(measured).toContain("4 answers right, 4 of 4 pages");
  expect(measured).toContain("4 of 4 downloads whole");
});
