import { describe, expect, test } from "vitest";
import { Catalogue } from "./catalogue.ts";
import { seal } from "./signature.ts";
import { allocationKey, candidatesOf, grant, TestMember } from "./testbed.ts";

/** A catalogue in which amber is a member that has published. */
function published() {
  const amber = new TestMember("amber", 1);
  const catalogue = new Catalogue();
  const { put } = amber.says({ web: "242.1.3.7" });
  catalogue.apply(candidatesOf(grant(1, ...amber.grants()), amber.member(), amber.gateway(), ...put));
  return { amber, catalogue };
}

/** The member record once more, with a higher order and perhaps other content. */
function again(member: TestMember, change: Readonly<Record<string, unknown>> = {}) {
  const body = { ...(JSON.parse(member.member().body) as object), ...change };
  return candidatesOf(seal(allocationKey, `member/${member.cluster}`, { epoch: 9, seq: 9 }, body));
}

const evictionOf = (member: TestMember) =>
  candidatesOf(
    seal(allocationKey, `eviction/${member.cluster}`, { epoch: 1, seq: 1 }, { ...member.who, evictedAt: 1 }),
  );

describe("Catalogue.apply() takes a membership once", () => {
  test("the same said again loses nothing of what the member published", () => {
    const { amber, catalogue } = published();
    expect(catalogue.apply(again(amber)).refusals).toEqual([]);
    expect(catalogue.members.get(amber.cluster)?.exports.size).toBe(1);
    expect(catalogue.members.get(amber.cluster)?.gateways.size).toBe(1);
  });

  test.each([
    ["another age", { joinedAt: 1 }],
    ["another uid", { uid: "00000000-0000-4000-8000-00000000ffff" }],
  ])("%s for a generation that is known is refused", (_, change) => {
    const { amber, catalogue } = published();
    expect(catalogue.apply(again(amber, change)).refusals.map(({ code }) => code)).toEqual(["equivocation"]);
    expect(catalogue.members.get(amber.cluster)?.body.joinedAt).toBe(1001);
  });

  test("said again after its end it does not bring the member back", () => {
    const { amber, catalogue } = published();
    catalogue.apply(evictionOf(amber));
    catalogue.apply(again(amber));
    expect(catalogue.members.get(amber.cluster)?.gone).toBe("evicted");
    expect(catalogue.live()).toEqual([]);
  });

  test("a generation before the known one is stale, however new its record says it is", () => {
    const { amber, catalogue } = published();
    catalogue.apply(evictionOf(amber));
    const second = new TestMember("amber", 1, 2);
    catalogue.apply(candidatesOf(second.member()));
    expect(catalogue.apply(again(amber)).refusals.map(({ code }) => code)).toEqual(["stale"]);
    expect(catalogue.members.get(amber.cluster)?.body.generation).toBe(2);
  });
});

describe("a receiver that slept through several memberships", () => {
  const left = (who: TestMember) => {
    const body = { ...who.who, leftAt: 5 };
    return seal(who.privateKey, `leave/amber/${who.generation}`, { epoch: who.generation, seq: 1 }, body);
  };

  test("believes the newest by the end of the one that it knows, with other keys in between", () => {
    const { amber, catalogue } = published();
    const [second, third] = [new TestMember("amber", 1, 2), new TestMember("amber", 1, 3)];
    const applied = catalogue.apply(candidatesOf(third.member(), left(second), left(amber)));
    expect(applied.refusals).toEqual([]);
    expect(catalogue.members.get(amber.cluster)?.body.generation).toBe(3);
    expect(catalogue.live()).toHaveLength(1);
  });

  test("believes nothing without it, or by an end that another key signed", () => {
    const { amber, catalogue } = published();
    const [second, third] = [new TestMember("amber", 1, 2), new TestMember("amber", 1, 3)];
    const forged = seal(third.privateKey, "leave/amber/1", { epoch: 1, seq: 1 }, { ...amber.who, leftAt: 5 });
    const applied = catalogue.apply(candidatesOf(third.member(), left(second), forged));
    expect(applied.refusals.map(({ code }) => code).sort()).toEqual(["key-swap", "unsigned"]);
    expect(catalogue.members.get(amber.cluster)?.body.generation).toBe(1);
  });
});

describe("Catalogue.apply() believes a gateway only where it was granted", () => {
  test("a record that comes before its grants is refused, and taken when it comes after them", () => {
    const amber = new TestMember("amber", 1);
    const catalogue = new Catalogue();
    const early = catalogue.apply(candidatesOf(amber.member(), amber.gateway()));
    expect(early.refusals.map(({ code, key }) => [code, key])).toEqual([["not-owned", "gateway/amber/gw"]]);
    const late = catalogue.apply(candidatesOf(amber.gateway(), grant(1, ...amber.grants())));
    expect(late.refusals).toEqual([]);
    expect([...(catalogue.members.get(amber.cluster)?.gateways.keys() ?? [])]).toEqual(["gw"]);
  });

  test("the release of its index takes it away, and tells so", () => {
    const { amber, catalogue } = published();
    const release = { kind: "release-gateway", ...amber.who, name: "gw" as never } as const;
    expect(catalogue.apply(candidatesOf(grant(2, release)))).toMatchObject({
      removed: ["gateway/amber/gw"],
      grants: true,
    });
    expect(catalogue.members.get(amber.cluster)?.gateways.size).toBe(0);
  });
});
