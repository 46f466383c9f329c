import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog, Troubles } from "#life";
import type { ClusterId, Revision } from "#values";
import { type Applied, type Batch, type Candidate, type Envelope, stated } from "#wire";
import { type Cache, openCache } from "./cache.ts";
import { Follower } from "./follower.ts";
import { dataDir, exportBody, grant, STORE, TestMember, verifier } from "./testbed.ts";

const body = (name: string, last = 1) => exportBody(name, [`242.2.0.${last}`]);

let dir: string;
let cache: Cache;
let follower: Follower;
let troubles: Troubles;
let birch: TestMember;
let applied: Applied[];
let asked: string[];

/** start is one run of a gateway of amber: what it knows comes from the disk. */
async function start(): Promise<void> {
  const opened = openCache(dir);
  if (!opened.ok) throw new Error(opened.error);
  cache = opened.value;
  troubles = new Troubles();
  const own = "amber" as ClusterId;
  follower = new Follower({ own, cache, verifier: () => verifier, log: silentLog, troubles });
  [applied, asked] = [[], []];
  follower.onApplied((what) => applied.push(what));
  follower.onMismatch = (clusters) => asked.push(...clusters);
  await follower.load();
  follower.welcomed(STORE);
}

async function restart(): Promise<void> {
  cache.close();
  await start();
}

function batch(put: readonly Envelope[], change: Partial<Batch> = {}): Batch {
  return { put: [...put], remove: [], snapshot: false, more: false, revision: 1 as Revision, ...change };
}

const exportsOf = (cluster: string) => [
  ...(follower.catalogue.members.get(cluster as ClusterId)?.exports.keys() ?? []),
];

beforeEach(async () => {
  dir = dataDir();
  birch = new TestMember("birch", 2);
  await start();
});
afterEach(() => {
  cache.close();
  rmSync(dir, { recursive: true });
});

describe("Follower.batch()", () => {
  test("applies a batch of several frames when the last has come, as one", async () => {
    const said = birch.says({ web: body("web"), api: body("api") });
    await follower.batch(batch([...birch.joined(), ...said.slice(0, 1)], { more: true }));
    expect(applied).toHaveLength(1); // what load told: nothing
    expect(follower.synced).toBe(false);
    await follower.batch(batch(said.slice(1), { revision: 5 as Revision }));
    expect(exportsOf("birch").sort()).toEqual(["shop/api", "shop/web"]);
    expect(applied.at(-1)?.exports).toEqual(new Set(["shop/api", "shop/web"]));
    expect(follower.cursor).toEqual({ store: STORE, revision: 5 });
    expect(follower.synced).toBe(true);
  });

  test("forgets the first half of a batch whose session ended", async () => {
    const said = birch.says({ web: body("web") });
    await follower.batch(batch([...birch.joined(), ...said], { more: true }));
    follower.welcomed(STORE);
    await follower.batch(batch([]));
    expect(follower.catalogue.members.size).toBe(0);
  });

  test("has it on the disk before anybody hears of it", async () => {
    let seen: number | undefined;
    follower.onApplied(() => {
      seen = [...cache.records()].length;
    });
    await follower.batch(batch([...birch.joined(), ...birch.says({ web: body("web") })]));
    expect(seen).toBe(4);
  });

  test("begins at no cursor with another store", async () => {
    await follower.batch(batch(birch.joined()));
    follower.welcomed("00000000-0000-4000-8000-0000000000bb" as never);
    expect(follower.cursor).toBeNull();
  });

  test("a broken record is a trouble by its key, and the others count", async () => {
    await follower.batch(batch([...birch.joined(), birch.gateway({ index: 9 })]));
    expect(troubles.list()).toMatchObject([{ code: "record-refused", subject: "gateway/birch/gw" }]);
    expect(follower.catalogue.members.has(birch.cluster)).toBe(true);
  });

  test("a refusal is a trouble until the record is believed", async () => {
    await follower.batch(batch([birch.member(), birch.gateway()]));
    expect(troubles.list()).toMatchObject([
      { subject: "gateway/birch/gw", detail: expect.stringMatching(/^not-owned/) },
    ]);
    await follower.batch(batch([grant(...birch.entries()), birch.gateway({}, { epoch: 1, seq: 2 })]));
    expect(troubles.list()).toEqual([]);
  });

  test.each<[string, () => Envelope]>([
    ["two contents of one membership", () => new TestMember("birch", 2).member()],
    ["a prefix that two members were granted", () => grant(...new TestMember("cedar", 2).entries())],
  ])("%s are a critical trouble", async (_, lie) => {
    await follower.batch(batch(birch.joined()));
    await follower.batch(batch([lie()]));
    expect(troubles.list()).toMatchObject([{ code: "record-refused", severity: "critical" }]);
  });

  test("what was refused of a member that leaves is no trouble any more", async () => {
    await follower.batch(batch([...birch.joined(), birch.gateway({ index: 9 })]));
    await follower.batch(batch([birch.leave()]));
    expect(troubles.list()).toEqual([]);
  });
});

describe("Follower and records that do not add up", () => {
  test("asks for the member, keeps what was good, and does not move its cursor", async () => {
    await follower.batch(batch([...birch.joined(), ...birch.says({ web: body("web") })], { revision: 3 as Revision }));
    const lost = birch.says({ api: body("api"), db: body("db") });
    await follower.batch(batch(lost.slice(1), { revision: 4 as Revision }));
    expect(asked).toEqual(["birch"]);
    expect(exportsOf("birch")).toEqual(["shop/web"]);
    expect(follower.cursor?.revision).toBe(3);
    await follower.batch(batch([], { revision: 5 as Revision }));
    expect(follower.cursor?.revision).toBe(3);
  });

  test("askAgain() asks until the snapshot has come; then the cursor moves on", async () => {
    await follower.batch(batch(birch.joined(), { revision: 3 as Revision }));
    const said = birch.says({ api: body("api"), db: body("db") });
    await follower.batch(batch(said.slice(1), { revision: 4 as Revision }));
    follower.askAgain();
    expect(asked).toEqual(["birch", "birch"]);
    await follower.batch(batch([birch.member(), ...said], { snapshot: true, revision: 4 as Revision }));
    follower.askAgain();
    expect(asked).toHaveLength(2);
    expect(follower.cursor?.revision).toBe(4);
    expect(troubles.list()).toEqual([]);
  });

  test("a restart before the snapshot came does not forget that something is missing", async () => {
    await follower.batch(batch(birch.joined(), { revision: 3 as Revision }));
    await follower.batch(batch(birch.says({ api: body("api"), db: body("db") }).slice(1), { revision: 4 as Revision }));
    await restart();
    expect(follower.cursor?.revision).toBe(3);
  });
});

describe("Follower.load()", () => {
  const all = (): readonly Envelope[] => [...birch.joined(), birch.gateway(), ...birch.says({ web: body("web") })];

  test("serves from the disk what was learned before, and goes on at its cursor", async () => {
    await follower.batch(batch(all(), { revision: 9 as Revision }));
    await restart();
    expect(exportsOf("birch")).toEqual(["shop/web"]);
    expect(follower.synced).toBe(true);
    expect(follower.cursor).toEqual({ store: STORE, revision: 9 });
    expect(applied.at(-1)?.exports).toEqual(new Set(["shop/web"]));
    expect(follower.catalogue.members.get(birch.cluster)?.gateways.size).toBe(1);
  });

  test("keeps a leave: what left stays away", async () => {
    await follower.batch(batch(all()));
    await follower.batch(batch([birch.leave()]));
    await restart();
    expect(follower.catalogue.members.get(birch.cluster)?.gone).toBe("left");
    await follower.batch(batch(all()));
    expect(follower.catalogue.live()).toEqual([]);
  });

  test("is not whole with a damaged row: what is unknown may exist, and everything is asked for", async () => {
    await follower.batch(batch(all()));
    cache.close();
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(`${dir}/cache.db`);
    db.exec("UPDATE records SET body = '{}' WHERE key LIKE 'export/%'");
    db.close();
    await start();
    expect([follower.synced, follower.cursor]).toEqual([false, null]);
    expect(follower.catalogue.members.get(birch.cluster)?.gateways.size).toBe(1);
  });

  test("is whole although two grants overlap: that one was refused is known", async () => {
    await follower.batch(batch([...all(), grant(...new TestMember("cedar", 2).entries())]));
    await restart();
    expect(follower.synced).toBe(true);
    expect(troubles.list()[0]?.severity).toBe("critical");
  });

  test("of an empty disk is no state at all", () => {
    expect([follower.synced, follower.cursor, follower.catalogue.members.size]).toEqual([false, null, 0]);
  });
});

describe("Follower and a disk that takes nothing", () => {
  test("goes on serving, says so, and catches up with the next write", async () => {
    const { write } = cache;
    Object.assign(cache, { write: () => Promise.reject(new Error("disk full")) });
    await follower.batch(batch([...birch.joined(), ...birch.says({ web: body("web") })], { revision: 2 as Revision }));
    expect(applied.at(-1)?.exports).toEqual(new Set(["shop/web"]));
    expect(troubles.list()).toMatchObject([{ code: "cache-failed", severity: "critical" }]);
    Object.assign(cache, { write });
    await follower.batch(batch(birch.says({ api: body("api") }), { revision: 3 as Revision }));
    expect(troubles.list()).toEqual([]);
    await restart();
    expect(exportsOf("birch").sort()).toEqual(["shop/api", "shop/web"]);
    expect(follower.cursor?.revision).toBe(3);
  });
});

describe("Follower and its own records", () => {
  test("own() applies what this gateway signed, and remembers its text", async () => {
    const amber = new TestMember("amber", 1);
    await follower.batch(batch(amber.joined()));
    const records = amber.says({ web: exportBody("web", ["242.1.0.1"]) });
    const done = await follower.own(records.map(ownStatement), []);
    expect(done.refusals).toEqual([]);
    expect(follower.ownBodies.get("export/amber/shop/web")).toBe(records[0]?.body);
    await restart();
    expect([...follower.ownBodies.keys()]).toEqual(["export/amber/shop/web"]);
  });

  test("a head of our own epoch that comes back is not taken: it covers less than we have said since", async () => {
    const amber = new TestMember("amber", 1);
    await follower.batch(batch(amber.joined()));
    const part = new TestMember("amber", 1);
    Object.assign(part, { privateKey: amber.privateKey });
    const said = amber.says({ a: exportBody("a", ["242.1.0.1"]), b: exportBody("b", ["242.1.0.2"]) }, 7);
    await follower.own(said.map(ownStatement), []);
    part.says({}, 7);
    const chunk = part.says({ a: exportBody("a", ["242.1.0.1"]) }, 7);
    follower.ownEpoch = () => 7;
    await follower.batch(batch(chunk, { snapshot: true }));
    expect(exportsOf("amber").sort()).toEqual(["shop/a", "shop/b"]);
    follower.ownEpoch = () => 8; // an epoch that another daemon held: its word counts
    await follower.batch(batch(chunk, { snapshot: true }));
    expect(exportsOf("amber")).toEqual(["shop/a"]);
    expect(applied.at(-1)?.removed).toEqual(["export/amber/shop/b"]);
  });

  test("a snapshot of ours is handed to the speaker, one of others is not", async () => {
    const snapshots: (readonly Envelope[])[] = [];
    follower.onOwnSnapshot = (records) => snapshots.push(records);
    await follower.batch(batch(birch.joined(), { snapshot: true }));
    expect(snapshots).toEqual([]);
    const amber = new TestMember("amber", 1);
    await follower.batch(batch([amber.member()], { snapshot: true }));
    expect(snapshots.map((records) => records.map(({ key }) => key))).toEqual([["member/amber"]]);
  });
});

function ownStatement(record: Envelope): Candidate {
  return stated(record, JSON.parse(record.body));
}
