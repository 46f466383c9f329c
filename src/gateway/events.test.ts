import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { query } from "#dns";
import type { ManifestChange } from "#kube";
import { until } from "#lab";
import type { ClusterId, Ip, Revision } from "#values";
import { identityKeyOf } from "#wire";
import { listen, markModes, onBatch, onRefused, onSession, onWelcome, ownKeys } from "./events.ts";
import type { PairMode } from "./pair-modes.ts";
import type { Gateway } from "./state.ts";
import { cidr, exportBody, grant, serviceGrant, TestMember } from "./testbed.ts";
import { type Composed, composed, welcomeOf } from "./testbed-gateway.ts";
import { localExport, manifestsOf } from "./testbed-manifests.ts";

const URL = "wss://192.0.2.9:7443";
const birch = new TestMember("birch", 2);
let made: Composed;
let marked: { network: number; services: Set<string>; said: Set<string>; asked: string[][] };

beforeEach(() => {
  made = composed();
  spy();
});
afterEach(() => {
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
});

/** spy writes down what the parts are told. */
function spy(): void {
  const { reconciler, speaker, client } = made.gateway;
  marked = { network: 0, services: new Set(), said: new Set(), asked: [] };
  Object.assign(reconciler, {
    markNetwork: () => {
      marked.network += 1;
    },
    markServices: (keys: Iterable<string>) => {
      for (const key of keys) marked.services.add(key);
    },
  });
  Object.assign(speaker, {
    changed: (keys: Iterable<string>) => {
      for (const key of keys) marked.said.add(key);
    },
  });
  Object.assign(client, { askSnapshot: (clusters: string[]) => marked.asked.push(clusters) });
}

const codes = () => made.gateway.troubles.list().map(({ code, severity }) => `${code} ${severity}`);

/** whileServing runs a gateway's responder alone. */
async function whileServing<T>({ responder }: Gateway, use: () => Promise<T>): Promise<T> {
  const end = new AbortController();
  const run = responder.run(end.signal);
  try {
    await responder.started;
    await responder.applied();
    return await use();
  } finally {
    end.abort();
    await run;
  }
}

/** serialOf asks for a zone's serial; an error is given by its name. */
async function serialOf({ responder }: Gateway, name: string): Promise<string> {
  const [server] = responder.bound;
  if (server === undefined) throw new Error("nothing listens");
  const answer = await query({ server, name, type: "SOA" }, AbortSignal.timeout(5000));
  if (!answer.ok) throw new Error(answer.error.detail);
  return answer.value.answers[0]?.data.split(" ")[2] ?? answer.value.rcode;
}

describe("what is learned", () => {
  test("an export has its service looked at, and no tunnel", async () => {
    await made.hears(...birch.joined());
    marked.network = 0;
    await made.hears(...birch.says({ web: exportBody("web", ["242.2.0.1"]) }));
    expect([...marked.services]).toEqual(["shop/web"]);
    expect(marked.network).toBe(0);
  });

  test.each([
    ["a gateway", () => [birch.gateway()]],
    ["a leave", () => [birch.leave()]],
    ["an eviction", () => [birch.eviction()]],
    ["a prefix", () => [grant({ kind: "nodes", ...birch.who, prefix: cidr("242.0.77.0/24") })]],
  ])("%s has the network looked at", async (_, records) => {
    await made.hears(...birch.joined());
    marked.network = 0;
    await made.hears(...records());
    expect(marked.network).toBe(1);
  });

  test("a service address has its service looked at, and no tunnel", async () => {
    await made.hears(grant(serviceGrant("web", "242.192.0.1")));
    expect([[...marked.services], marked.network]).toEqual([["shop/web"], 0]);
  });

  test("the leave of a member has all its services looked at", async () => {
    await made.hears(
      ...birch.joined(),
      ...birch.says({ web: exportBody("web", ["242.2.0.1"]), api: exportBody("api", []) }),
    );
    marked.services.clear();
    await made.hears(birch.leave());
    expect([...marked.services].sort()).toEqual(["shop/api", "shop/web"]);
  });

  test("a prefix that is granted anew has every own export said again: its addresses are others", async () => {
    const source = {
      current: () => manifestsOf([localExport("web")]),
      onChange: () => {},
      synced: new Promise(() => {}),
    };
    Object.assign(made.gateway, { source });
    await made.hears(...made.amber.joined());
    expect([...marked.said].sort()).toEqual(["export/amber/shop/web", "nodes/amber"]);
  });

  test("an end of our own membership is critical, also from the disk, and takes nothing down", async () => {
    await made.hears(...made.amber.joined());
    await made.hears(made.amber.eviction());
    expect(codes()).toEqual(["membership-ended critical"]);
    made.gateway.cache.close();
    const again = composed({ dataDir: made.dir });
    await again.gateway.follower.load();
    expect(again.gateway.troubles.list().map(({ code }) => code)).toContain("membership-ended");
    made = again;
  });

  test("what was taken back for us by somebody else is looked at again", async () => {
    await made.hears(...made.amber.joined(), ...made.amber.says({ web: exportBody("web", ["242.1.0.1"]) }));
    marked.said.clear();
    const put = made.amber.says({ web: null });
    const batch = {
      put: [...put],
      remove: ["export/amber/shop/web"],
      snapshot: false,
      more: false,
      revision: 9 as Revision,
    };
    await made.gateway.follower.batch(batch);
    expect([...marked.said]).toEqual(["export/amber/shop/web"]);
  });

  test("a member that does not add up is asked for, and not again at once", async () => {
    await made.hears(...birch.joined());
    const bad = () => birch.says({ [`s${Math.floor(made.clock.monotonic())}`]: exportBody("s", []) }).slice(1);
    await made.hears(...bad());
    await made.hears(...bad());
    expect(marked.asked).toEqual([["birch"]]);
    await made.clock.pass(5000);
    await made.hears(...bad());
    expect(marked.asked).toEqual([["birch"], ["birch"]]);
  });
});

describe("manifests", () => {
  /** folder gives a gateway a source whose changes a test tells. */
  function folder() {
    let tell: (change: ManifestChange) => void = () => {};
    const synced = Promise.withResolvers<void>();
    let manifests = manifestsOf([localExport("web")]);
    const source = {
      current: () => manifests,
      onChange: (listener: typeof tell) => {
        tell = listener;
      },
      synced: synced.promise,
    };
    Object.assign(made.gateway, { source });
    listen(made.gateway);
    const change = (next: typeof manifests, ...changed: readonly string[]): void => {
      manifests = next;
      tell({ changed, changedImports: [], manifests, synced: true });
    };
    return { change, synced };
  }

  test("what has changed is said", () => {
    const { change } = folder();
    change(manifestsOf([localExport("api")]), "shop/web", "shop/api");
    expect([...marked.said]).toEqual(["export/amber/shop/web", "export/amber/shop/api"]);
  });

  test("once all were read, everything that is or was exported is looked at", async () => {
    await made.hears(...made.amber.joined(), ...made.amber.says({ old: exportBody("old", []) }));
    const { synced } = folder();
    marked.said.clear();
    synced.resolve();
    await synced.promise;
    expect(made.gateway.session.sourceSynced).toBe(true);
    expect([...marked.said].sort()).toEqual(["export/amber/shop/old", "export/amber/shop/web", "nodes/amber"]);
  });

  test("when the last unreadable file is readable, all that was kept for its sake is looked at", async () => {
    await made.hears(...made.amber.joined(), ...made.amber.says({ old: exportBody("old", []) }));
    const { change } = folder();
    change(manifestsOf([], ["bad.yaml"]));
    marked.said.clear();
    change(manifestsOf([]), "shop/other");
    expect(marked.said).toContain("export/amber/shop/old");
  });

  test("ownKeys() is what is exported here, what was, and the nodes", async () => {
    expect([...ownKeys(made.gateway)]).toEqual(["nodes/amber"]);
  });
});

describe("the session", () => {
  test("a broker that was never reached since the start is a trouble, though not before it was tried", () => {
    onSession(made.gateway, "dialing", URL);
    expect(codes()).toEqual([]);
    onSession(made.gateway, "dialing", URL);
    expect(codes()).toEqual(["broker-away warning"]);
    onSession(made.gateway, "live", URL);
    expect(codes()).toEqual([]);
  });

  test("a broker with another key is no reason to end for a member: nothing of it is taken", async () => {
    const allocationKey = identityKeyOf(new TestMember("x", 9).privateKey);
    expect(onWelcome(made.gateway, welcomeOf(made.amber, { allocationKey }))).toBeUndefined();
    expect(codes()).toEqual(["broker-foreign critical"]);
    const batch = { put: [...birch.joined()], remove: [], snapshot: true, more: false, revision: 1 as Revision };
    await expect(onBatch(made.gateway, batch)).rejects.toThrow(/the broker signs with/);
    expect(made.gateway.follower.catalogue.members.size).toBe(0);
    expect(onWelcome(made.gateway, welcomeOf(made.amber))).toBeUndefined();
    await onBatch(made.gateway, batch);
    expect([codes(), made.gateway.follower.catalogue.members.size]).toEqual([[], 1]);
  });

  test("what a welcome says outlives the daemon", () => {
    onWelcome(made.gateway, welcomeOf(made.amber));
    made.gateway.cache.setValue("heard", String(made.clock.now() - 60_000));
    made.gateway.cache.close();
    const again = composed({ dataDir: made.dir });
    expect(again.gateway.session).toMatchObject({ supernets: ["242.0.0.0/8"], seen: "198.51.100.1", heardAt: -60_000 });
    made = again;
  });

  test("names of the supernet's addresses are answered once a welcome named it, and at once after a restart", async () => {
    made.gateway.cache.close();
    made = composed({ dataDir: made.dir, dns: [{ host: "127.0.0.1" as Ip, port: 0 }] });
    const serial = (): Promise<string> => serialOf(made.gateway, "242.in-addr.arpa");
    const before = await whileServing(made.gateway, async () => {
      expect(await serial()).toBe("REFUSED");
      onWelcome(made.gateway, welcomeOf(made.amber));
      await made.gateway.responder.applied();
      return serial();
    });
    made.gateway.cache.close();
    made = composed({ dataDir: made.dir, dns: [{ host: "127.0.0.1" as Ip, port: 0 }] });
    const after = await whileServing(made.gateway, serial);
    expect(Number(after)).toBeGreaterThan(Number(before));
  });

  test("a refusal of a member is critical and ends nothing; one of a join that is final ends it", () => {
    const refused = { code: "duplicate-cluster", message: "another key has amber", retry: false };
    expect(onRefused(made.gateway, refused)).toBeUndefined();
    expect(codes()).toEqual(["broker-refused critical"]);
    const stranger = { ...made.gateway, membership: { identity: null } } as never;
    expect(onRefused(stranger, refused)).toBe("the broker refused the join (duplicate-cluster): another key has amber");
    expect(onRefused(stranger, { ...refused, retry: true })).toBeUndefined();
  });

  test("a member that was put out while it was away learns it by the record, and shows it as what it is", async () => {
    await made.hears(...made.amber.joined());
    const refused = { code: "evicted", message: "amber was evicted", retry: false, record: made.amber.eviction() };
    expect(onRefused(made.gateway, refused)).toBeUndefined();
    await until(() => codes().length > 0);
    expect(codes()).toEqual(["membership-ended critical"]);
    expect(made.gateway.follower.catalogue.members.get(made.amber.cluster)?.gone).toBe("evicted");
  });
});

test("when the pods of a member are reached in another way, what it exports is looked at again, and nothing else", async () => {
  const cedar = new TestMember("cedar", 3);
  const [first, second] = [new TestMember("birch", 2), exportBody("web", ["242.3.0.9"])];
  await made.hears(...first.joined(), ...first.says({ db: exportBody("db", ["242.2.0.9"]) }));
  await made.hears(...cedar.joined(), ...cedar.says({ web: second }));
  spy();
  const modes = (kind: PairMode["kind"]): ReadonlyMap<ClusterId, PairMode> =>
    new Map([
      [birch.cluster, kind === "direct" ? { kind } : { kind, why: null }],
      [cedar.cluster, { kind: "globalnet", why: null }],
    ]);
  markModes(made.gateway, modes("globalnet"), modes("direct"));
  expect([...marked.services]).toEqual(["shop/db"]);
  markModes(made.gateway, new Map(), modes("globalnet")); // not known before: what it exports has its mark already
  expect([...marked.services]).toEqual(["shop/db"]);
});
