import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ClusterId, type IdentityKey, millis, type Uid } from "#values";
import type { Invite } from "./invite.ts";
import type { Redemption } from "./redeem.ts";
import type { Change, Store } from "./store.ts";
import { NOW, record } from "./testbed.ts";
import { allocation, entry, invite, KINDS, redemption, type Trial, trial } from "./trial.ts";

/** The same contract holds for the store on disk and for the one in memory. */
describe.each(KINDS)("Store's books (%s)", (kind) => {
  let run: Trial;
  let store: Store;
  let done: Trial["done"];
  beforeEach(() => {
    run = trial(kind);
    ({ store, done } = run);
  });
  afterEach(() => run[Symbol.dispose]());

  describe("commit() that redeems", () => {
    test("uses a token up, together with the rest of its change", () => {
      done({ invites: { put: [invite()] } });
      expect(done({ redeem: redemption(), put: [record("member/c1")] })).toBe(1);
      expect(store.invites()).toEqual([invite({ used: 1 })]);
      expect(store.findRedemption("i1", "K1" as IdentityKey)).toEqual({ cluster: "c1", uid: "u1" });
      expect(store.findRedemption("i1", "K2" as IdentityKey)).toBeNull();
    });

    test("lets the same key redeem again, also after the expiry, without counting", () => {
      done({ invites: { put: [invite()] } });
      done({ redeem: redemption() });
      expect(run.codeOf({ redeem: redemption({ now: millis(NOW + 1e9) }) })).toBe("done");
      expect(store.invites()[0]?.used).toBe(1);
    });

    test.each<[string, Partial<Invite>, Partial<Redemption>]>([
      ["token-unknown", {}, { inviteId: "i2" }],
      ["token-unknown", {}, { hash: "h".repeat(43) }],
      ["token-expired", {}, { now: millis(NOW + 900_000) }],
      ["token-revoked", { revokedAt: NOW }, {}],
      ["token-other-cluster", { cluster: "c2" as ClusterId }, {}],
      ["token-used", { used: 1 }, {}],
    ])("refuses with %s where the invite has %o and the ask %o, and does nothing of the change", (code, has, asks) => {
      done({ invites: { put: [invite(has)] } });
      const change: Change = {
        redeem: redemption(asks),
        put: [record("member/c1")],
        audit: [entry("x")],
        meta: { a: "1" },
        speakers: [{ cluster: "c1" as ClusterId, epoch: 1, gateway: null }],
        allocations: { put: [allocation("242.1.0.0/16")], forget: [] },
      };
      expect(run.codeOf(change)).toBe(code);
      expect([...store.records(), ...store.allocations(), ...store.speakers(), ...store.audit(0, 9)]).toEqual([]);
      expect([store.revision(), store.meta("a")]).toEqual([0, null]);
      expect(store.invites()).toEqual([invite(has)]);
      expect(done({ put: [record("after")] })).toBe(1);
    });

    test("[TS-2025-007] gives 200 redemptions of one token one success", () => {
      done({ invites: { put: [invite()] } });
      const codes = Array.from({ length: 200 }, (_, i) =>
        run.codeOf({ redeem: redemption({ key: `K${i}` as IdentityKey, uid: `u${i}` as Uid }) }),
      );
      expect(codes.filter((code) => code === "done")).toHaveLength(1);
      expect(codes.filter((code) => code === "token-used")).toHaveLength(199);
    });

    test("revokes once: a later revocation does not move the first", () => {
      done({ invites: { put: [invite()] } });
      done({ invites: { revoke: [{ id: "i1", at: NOW }] } });
      done({
        invites: {
          revoke: [
            { id: "i1", at: millis(NOW + 1) },
            { id: "none", at: NOW },
          ],
        },
      });
      expect(store.invites()).toEqual([invite({ revokedAt: NOW })]);
    });
  });

  describe("audit()", () => {
    test("gives numbered, chained rows with the revision that they were written at", () => {
      done({ audit: [entry("a")] });
      done({ put: [record("a")], audit: [entry("b"), entry("c")] });
      const rows = store.audit(0, 10);
      expect(rows.map(({ number, revision, subject }) => [number, revision, subject])).toEqual([
        [1, 0, "a"],
        [2, 1, "b"],
        [3, 1, "c"],
      ]);
      expect(new Set(rows.map(({ hash }) => hash)).size).toBe(3);
      expect(store.verifyAudit()).toEqual({ ok: true, value: 3 });
    });

    test("pages by number", () => {
      done({ audit: ["a", "b", "c", "d"].map(entry) });
      expect(store.audit(1, 2).map(({ subject }) => subject)).toEqual(["b", "c"]);
      expect(store.audit(4, 2)).toEqual([]);
      expect(store.audit(99, 2)).toEqual([]);
    });

    test("keeps texts that UTF-8 cannot hold in a form in which the chain still holds", () => {
      done({ audit: [entry("\ud800 lone"), entry("next")] });
      expect(store.audit(0, 1)[0]?.subject).toBe("\ufffd lone");
      expect(store.verifyAudit().ok).toBe(true);
    });
  });

  describe("idempotent()", () => {
    const answer = { key: "k", requestHash: "r", status: 201, body: "{}", expiresAt: millis(NOW + 1000) };
    test("gives the answer until it expires", () => {
      done({ idempotency: answer });
      expect(store.idempotent("k", NOW)).toEqual(answer);
      expect(store.idempotent("k", millis(NOW + 1000))).toBeNull();
      expect(store.idempotent("other", NOW)).toBeNull();
    });
  });
});
