import { describe, expect, test } from "vitest";
import { Catalogue } from "./catalogue.ts";
import { seal } from "./signature.ts";
import { allocationKey, candidatesOf, TestMember } from "./testbed.ts";

const leaveOf = (member: TestMember, signer = member) =>
  seal(signer.privateKey, `leave/${member.cluster}`, { epoch: 1, seq: 1 }, { ...member.who, leftAt: 5 });
const evictionOf = (member: TestMember) =>
  seal(allocationKey, `eviction/${member.cluster}`, { epoch: 1, seq: 1 }, { ...member.who, evictedAt: 5 });

describe("in a snapshot, where an end may come with or before its member,", () => {
  test.each(["left", "evicted"] as const)("a member that %s stays so", (how) => {
    const a = new TestMember("amber", 1);
    const end = how === "left" ? leaveOf(a) : evictionOf(a);
    for (const order of [candidatesOf(end, a.member()), candidatesOf(a.member(), end)]) {
      const catalogue = new Catalogue();
      expect(catalogue.apply(order, [], true).refusals).toEqual([]);
      expect(catalogue.members.get(a.cluster)?.gone).toBe(how);
      expect(catalogue.live()).toEqual([]);
    }
  });

  test("an end of an earlier generation does not touch the member of now", () => {
    const before = new TestMember("amber", 1);
    const now = new TestMember("amber", 1, 2);
    const catalogue = new Catalogue();
    catalogue.apply(candidatesOf(evictionOf(before), leaveOf(before), now.member()), [], true);
    expect(catalogue.members.get(now.cluster)?.gone).toBeNull();
  });

  test("a leave that another key signed ends nobody", () => {
    const [a, b] = [new TestMember("amber", 1), new TestMember("basalt", 2)];
    const catalogue = new Catalogue();
    catalogue.apply(candidatesOf(leaveOf(a, b), a.member()), [], true);
    expect(catalogue.members.get(a.cluster)?.gone).toBeNull();
  });
});
