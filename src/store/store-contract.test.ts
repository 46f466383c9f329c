import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Cidr, ClusterId, NodeName, Revision } from "#values";
import type { Envelope } from "#wire";
import { type Change, RECOVERING, RESTORED_FROM, type Store } from "./store.ts";
import { record } from "./testbed.ts";
import { allocation, entry, invite, KINDS, redemption, type Trial, trial } from "./trial.ts";

const rev = (n: number): Revision => n as Revision;
const keysOf = (records: Iterable<{ readonly envelope: Envelope }>): string[] =>
  [...records].map(({ envelope }) => envelope.key);

/** The same contract holds for the store on disk and for the one in memory. */
describe.each(KINDS)("Store (%s)", (kind) => {
  let run: Trial;
  let store: Store;
  let done: Trial["done"];
  beforeEach(() => {
    run = trial(kind);
    ({ store, done } = run);
  });
  afterEach(() => run[Symbol.dispose]());

  test("begins empty at revision 0 with an id of its own and generation 1", () => {
    expect(store.revision()).toBe(0);
    expect(store.id).toMatch(/^[0-9a-f]{8}-/);
    expect(store.generation).toBe(1);
    expect([...store.records(), ...store.allocations(), ...store.speakers(), ...store.invites()]).toEqual([]);
  });

  describe("commit() of records", () => {
    test("gives back exactly what was put, under the revision of its commit", () => {
      const signed: Envelope = { ...record("gateway/c1/n1"), signature: "S".repeat(86) as Envelope["signature"] };
      expect(done({ put: [record("export/c1/a/b"), signed] })).toBe(1);
      expect(store.record("gateway/c1/n1")).toEqual({ envelope: signed, revision: 1 });
      expect([...store.records()]).toEqual([
        { envelope: record("export/c1/a/b"), revision: 1 },
        { envelope: signed, revision: 1 },
      ]);
    });

    test("replaces a record of the same key, and removes", () => {
      done({ put: [record("a"), record("b")] });
      expect(done({ put: [record("a", 2)], remove: ["b", "never there"] })).toBe(2);
      expect([...store.records()]).toEqual([{ envelope: record("a", 2), revision: 2 }]);
      expect(store.record("b")).toBeNull();
    });

    test("a key that is both removed and put is there", () => {
      done({ put: [record("a")] });
      done({ remove: ["a"], put: [record("a", 2)] });
      expect(store.record("a")?.revision).toBe(2);
      expect(store.changesSince(rev(0))).toMatchObject({ removed: [] });
    });

    test("keeps any text, also NUL, quotes, emoji and line breaks", () => {
      const body = `{"text":"\\u0000"}\u0000 ' " \n \u{1f600}`;
      done({ put: [{ ...record("a"), body }] });
      expect(store.record("a")?.envelope.body).toBe(body);
    });

    test("records() can be read slowly while others commit", () => {
      done({ put: Array.from({ length: 600 }, (_, i) => record(`k${String(i).padStart(4, "0")}`)) });
      const reader = store.records()[Symbol.iterator]();
      expect(reader.next().value?.envelope.key).toBe("k0000");
      done({ put: [record("k0001", 2)] });
      let count = 1;
      while (reader.next().done !== true) count += 1;
      expect(count).toBe(600);
    });
  });

  describe("commit() spends a revision", () => {
    test.each<[string, Change]>([
      ["records put", { put: [record("a")] }],
      ["records removed", { remove: ["a"] }],
      ["allocations put", { allocations: { put: [allocation("242.1.0.0/16")], forget: [] } }],
      ["allocations forgotten", { allocations: { put: [], forget: ["242.1.0.0/16" as Cidr] } }],
    ])("for %s", (_, change) => {
      expect(done(change)).toBe(1);
    });

    test("but not for invites, audit, settings, answers, speakers and empty lists", () => {
      done({ put: [], remove: [], allocations: { put: [], forget: [] } });
      done({ invites: { put: [invite()] }, audit: [entry("i1")], meta: { a: "1" } });
      done({ speakers: [{ cluster: "c1" as ClusterId, epoch: 1, gateway: null }] });
      done({ redeem: redemption() });
      expect(store.revision()).toBe(0);
    });
  });

  describe("commit() of allocations, speakers and settings", () => {
    test("keeps allocations by prefix", () => {
      const [a, b] = [allocation("242.1.0.0/16"), allocation("242.2.0.0/16", { cluster: null, note: "by hand" })];
      done({ allocations: { put: [b, a], forget: [] } });
      expect(store.allocations()).toEqual([a, b]);
      const resting = allocation("242.1.0.0/16", { state: "quarantine" });
      done({ allocations: { put: [resting], forget: [b.prefix] } });
      expect(store.allocations()).toEqual([resting]);
    });

    test("keeps the last speaker of each cluster", () => {
      const [c1, c2] = ["c1" as ClusterId, "c2" as ClusterId];
      done({ speakers: [{ cluster: c2, epoch: 4, gateway: null }] });
      done({ speakers: [{ cluster: c1, epoch: 7, gateway: "n1" as NodeName }] });
      done({ speakers: [{ cluster: c1, epoch: 8, gateway: "n2" as NodeName }] });
      expect(store.speakers()).toEqual([
        { cluster: "c1", epoch: 8, gateway: "n2" },
        { cluster: "c2", epoch: 4, gateway: null },
      ]);
    });

    test("keeps settings until they are set to null", () => {
      done({ meta: { supernet: "242.0.0.0/8", other: "x" } });
      done({ meta: { other: null } });
      expect([store.meta("supernet"), store.meta("other"), store.meta("none")]).toEqual(["242.0.0.0/8", null, null]);
    });

    test("gets a new id and is the same otherwise", () => {
      const { id } = store;
      const revision = store.revision();
      done({ newId: true });
      expect(store.id).not.toBe(id);
      expect([store.generation, store.meta(RECOVERING), store.revision()]).toEqual([1, null, revision]);
    });

    test("becomes a new store when it is renewed, and remembers which it was", () => {
      const { id } = store;
      done({ renew: { above: 1 } });
      expect(store.id).not.toBe(id);
      expect([store.generation, store.meta(RESTORED_FROM), store.meta(RECOVERING)]).toEqual([2, id, id]);
      done({ renew: { above: 7 } });
      expect(store.generation).toBe(8);
    });
  });

  describe("changesSince()", () => {
    const since = (revision: number, limit?: number) => {
      const changes = store.changesSince(rev(revision), limit);
      return changes === "too-old" ? changes : [keysOf(changes.put), changes.removed, changes.through];
    };

    test("gives each changed key once, in its newest state, in the order of revisions", () => {
      done({ put: [record("a"), record("b"), record("c")] });
      done({ put: [record("a", 2)] });
      done({ remove: ["b"] });
      done({ put: [record("a", 3), record("d")] });
      expect(since(0)).toEqual([["c", "a", "d"], ["b"], 4]);
      expect(since(2)).toEqual([["a", "d"], ["b"], 4]);
      expect(since(4)).toEqual([[], [], 4]);
    });

    test("forgets a removal when the key comes back", () => {
      done({ put: [record("a")] });
      done({ remove: ["a"] });
      done({ put: [record("a", 2)] });
      expect(since(1)).toEqual([["a"], [], 3]);
    });

    test("never cuts a revision, and says how far an answer goes", () => {
      done({ put: [record("a"), record("b"), record("c")] });
      done({ put: [record("d")] });
      done({ remove: ["a"] });
      expect(since(0, 1)).toEqual([["b", "c"], [], 1]);
      expect(since(1, 1)).toEqual([["d"], [], 2]);
      expect(since(2, 1)).toEqual([[], ["a"], 3]);
      expect(since(0, 3)).toEqual([["b", "c", "d"], [], 2]);
      expect(since(0, 4)).toEqual([["b", "c", "d"], ["a"], 3]);
    });

    test("counts revisions in which no record changed", () => {
      done({ allocations: { put: [allocation("242.1.0.0/16")], forget: [] } });
      expect(since(0)).toEqual([[], [], 1]);
    });

    test("is too old for a cursor ahead of the store: it is of another one", () => {
      expect(since(1)).toBe("too-old");
    });
  });

  test("a commit changes nothing that a caller still holds", () => {
    const before = record("a");
    done({ put: [before] });
    const read = store.record("a");
    done({ put: [record("a", 2)] });
    expect(read).toEqual({ envelope: before, revision: 1 });
  });
});
