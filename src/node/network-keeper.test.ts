import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLog, systemClock, Troubles } from "#life";
import { NetworkKeeper } from "./network-keeper.ts";

const TEXT = JSON.stringify({
  ...{ version: 1, cluster: "amber", supernet: "242.0.0.0/8", servicePrefix: "242.192.0.0/10" },
  ...{ nodePrefix: "242.0.1.0/24", pods: [], way: "auto", direct: { pods: [], nodes: [] }, gateways: [], nodes: [] },
});
let dataDir = "";
let troubles: Troubles;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "meridian-node-"));
  troubles = new Troubles();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const keeper = () => new NetworkKeeper({ dataDir, clock: systemClock, log: silentLog, troubles });

test("what was heard outlives the daemon, and its age is not known until it is heard again", async () => {
  const first = keeper();
  first.heard(TEXT);
  await first.settled();
  const next = keeper();
  await next.load();
  expect(next.current?.cluster).toBe("amber");
  expect(next.ageSeconds).toBeNull();
  next.heard(TEXT);
  expect(next.ageSeconds).toBeLessThan(5);
});

test("what cannot be read is told, and changes neither what is in force nor the disk", async () => {
  const one = keeper();
  one.heard(TEXT);
  one.heard(TEXT.replace("amber", "Not an id"));
  await one.settled();
  expect(one.current?.cluster).toBe("amber");
  expect(readFileSync(join(dataDir, "network.json"), "utf8")).toBe(TEXT);
  expect(troubles.list().map(({ code }) => code)).toEqual(["network-refused"]);
  one.heard(TEXT.replace("amber", "birch"));
  await one.settled();
  expect([one.current?.cluster, troubles.list().length]).toEqual(["birch", 0]);
});

test("a start without a disk knows nothing, and says nothing is wrong", async () => {
  const one = keeper();
  await one.load();
  expect([one.current, troubles.list()]).toEqual([null, []]);
});
