import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClusterId, type IdentityKey, millis, type Uid } from "#values";
import type { Invite } from "./invite.ts";
import { judgeRedemption, REDEEM_MESSAGE, type Redemption } from "./redeem.ts";

const invite: Invite = {
  id: "i1",
  hash: "right",
  cluster: null,
  createdAt: millis(0),
  expiresAt: millis(100),
  uses: 1,
  used: 0,
  revokedAt: null,
  by: "admin",
};
const member = { cluster: "c1" as ClusterId, uid: "u1" as Uid };
const ask: Redemption = { inviteId: "i1", hash: "right", key: "K" as IdentityKey, ...member, now: millis(99) };

describe("judgeRedemption()", () => {
  test("counts the first use", () => {
    expect(judgeRedemption(ask, invite, null)).toBe("count");
  });

  test("lets the same key come back after the expiry and after the last use", () => {
    const spent = { ...invite, used: 1 };
    expect(judgeRedemption({ ...ask, now: millis(1e9) }, spent, member)).toBe("again");
  });

  test("does not let it come back with another secret, as another member, or when revoked", () => {
    expect(judgeRedemption({ ...ask, hash: "wrong" }, invite, member)).toBe("token-unknown");
    expect(judgeRedemption({ ...ask, cluster: "c2" as ClusterId }, invite, member)).toBe("token-other-cluster");
    expect(judgeRedemption({ ...ask, uid: "u2" as Uid }, invite, member)).toBe("token-other-cluster");
    expect(judgeRedemption(ask, { ...invite, revokedAt: millis(1) }, member)).toBe("token-revoked");
  });

  test("expires at the moment, not after it", () => {
    expect(judgeRedemption({ ...ask, now: millis(99) }, invite, null)).toBe("count");
    expect(judgeRedemption({ ...ask, now: millis(100) }, invite, null)).toBe("token-expired");
  });

  test("answers a wrong secret and no invite alike, whatever state the invite is in", () => {
    const states = fc.record({
      used: fc.nat(2),
      revokedAt: fc.constantFrom(null, millis(1)),
      expiresAt: fc.nat(200).map(millis),
    });
    fc.assert(
      fc.property(fc.string(), states, (hash, state) => {
        fc.pre(hash !== "right");
        expect(judgeRedemption({ ...ask, hash }, { ...invite, ...state }, null)).toBe("token-unknown");
      }),
    );
    expect(judgeRedemption(ask, null, null)).toBe("token-unknown");
  });

  test("counts at most as many uses as the invite has", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), (uses, used) => {
        expect(judgeRedemption(ask, { ...invite, uses, used }, null)).toBe(used < uses ? "count" : "token-used");
      }),
    );
  });

  test("has a message for each refusal", () => {
    for (const message of Object.values(REDEEM_MESSAGE)) expect(message).toMatch(/token/);
  });
});
