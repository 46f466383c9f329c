import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cidr, Ip, Namespace, ServiceName } from "#values";
import type { GrantBody, GrantEntry } from "./bodies.ts";
import { Grants } from "./grants.ts";
import { TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const birch = new TestMember("birch", 2);
const pods = (who: TestMember, prefix: string): GrantEntry => ({
  kind: "pods",
  ...who.who,
  local: "10.244.0.0/16" as Cidr,
  prefix: prefix as Cidr,
});
const release = (prefix: string): GrantEntry => ({ kind: "release", prefix: prefix as Cidr });
const service = (name: string, address: string): GrantEntry => ({
  kind: "service",
  namespace: "shop" as Namespace,
  name: name as ServiceName,
  address: address as Ip,
});
const body = (number: number, ...entries: GrantEntry[]): GrantBody => ({ number, entries });
const base = (first: number, parts: number, at: number, ...entries: GrantEntry[]): GrantBody => ({
  number: first + at,
  entries,
  base: { first, parts },
});
/** What is live, in a form that can be compared. */
const live = (grants: Grants): readonly string[] => [...grants.ledger.live()].map((e) => JSON.stringify(e)).sort();

function knowing(...bodies: readonly GrantBody[]): Grants {
  const grants = new Grants();
  for (const one of bodies) grants.take(one);
  return grants;
}

describe("Grants.take()", () => {
  test("comes to the same in whichever order the records arrive", () => {
    const history = [
      body(1, pods(amber, "242.1.0.0/16"), service("web", "242.192.0.1")),
      body(2, pods(birch, "242.2.0.0/16")),
      body(3, release("242.1.0.0/16")),
      body(4, pods(amber, "242.3.0.0/16"), service("api", "242.192.0.2")),
    ];
    const expected = live(knowing(...history));
    fc.assert(
      fc.property(fc.shuffledSubarray(history, { minLength: 4 }), (order) => {
        expect(live(knowing(...order))).toEqual(expected);
      }),
    );
  });

  test("does not let a grant that comes late take from anybody what a later one gave", () => {
    const grants = knowing(body(5, pods(birch, "242.1.0.0/16")));
    const folded = grants.take(body(2, pods(amber, "242.1.0.0/16")));
    expect(folded.refused).toBe("242.1.0.0/16 belongs to member birch by a later grant");
    expect(grants.ledger.holding(amber.cluster)).toBeUndefined();
    expect(grants.take(body(6, release("242.1.0.0/16"))).refused).toBeUndefined();
  });

  test("a base that is whole says all that is live, and voids every record before it", () => {
    const grants = knowing(body(1, pods(amber, "242.1.0.0/16")), body(2, pods(birch, "242.2.0.0/16")));
    expect(grants.take(base(3, 2, 0, pods(birch, "242.2.0.0/16"))).voided).toEqual([]);
    expect(grants.ledger.holding(amber.cluster)?.pods).toHaveLength(1);
    const folded = grants.take(base(3, 2, 1, service("web", "242.192.0.1")));
    expect(folded).toMatchObject({ voided: [1, 2], overlaps: [] });
    expect([...folded.clusters, ...folded.services]).toEqual(["amber", "shop/web"]);
    expect(grants.ledger.holding(amber.cluster)).toBeUndefined();
    expect([grants.isVoid(2), grants.isVoid(3), grants.entries]).toEqual([true, false, 2]);
  });

  test("a base that says what was live anyway changes nothing, and what comes behind it counts", () => {
    const grants = knowing(body(1, pods(amber, "242.1.0.0/16")), body(2, pods(birch, "242.2.0.0/16")));
    const entries = [...grants.ledger.live()];
    const folded = grants.take(base(3, 1, 0, ...entries));
    expect([folded.clusters.size, folded.services.size]).toEqual([0, 0]);
    grants.take(body(4, release("242.2.0.0/16")));
    expect(live(grants)).toEqual(live(knowing(body(1, pods(amber, "242.1.0.0/16")))));
  });

  test("an older base changes nothing once a newer one is known", () => {
    const grants = knowing(base(9, 1, 0, pods(amber, "242.1.0.0/16")));
    grants.take(base(3, 1, 0, pods(birch, "242.2.0.0/16")));
    expect(grants.ledger.holding(birch.cluster)).toBeUndefined();
  });
});
