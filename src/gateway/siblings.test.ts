import { describe, expect, test } from "vitest";
import type { Ip, NodeName } from "#values";
import { siblingAddresses, siblingsOf } from "./siblings.ts";
import { catalogueOf, GW, grant, ip, TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const second = { kind: "gateway", ...amber.who, name: "b" as NodeName, index: 1 } as const;
const LOCAL = ip("172.31.0.12");
const NEXT = { link: "eth0", mac: "7a:6b:10:00:00:01" };

/** catalogue of amber with two gateways; `change` is what the second says of itself. */
function catalogue(change: Readonly<Record<string, unknown>> = { local: LOCAL }) {
  const other = amber.gateway({ name: "b", index: 1, address: "242.0.1.2", ...change });
  return catalogueOf(...amber.joined(), grant(second), amber.gateway({ local: "172.31.0.11" }), other);
}

function siblings(change: Readonly<Record<string, unknown>>, next = new Map<Ip, typeof NEXT>([[LOCAL, NEXT]])) {
  const who = { catalogue: catalogue({ local: LOCAL, ...change }), own: amber.cluster, gateway: GW };
  return siblingsOf({ ...who, neighbours: next, isUp: (id) => id === "amber/b" });
}

describe("siblingsOf()", () => {
  test("is the member's other gateways that are next to this one", () => {
    expect(siblings({})).toEqual([
      { id: "amber/b", name: "b", global: "242.0.1.2", local: LOCAL, mac: "7a:6b:10:00:00:01", up: true },
    ]);
  });

  test("leaves out one behind a router, and one that does not say where it is", () => {
    expect(siblings({}, new Map())).toEqual([]);
    expect(siblings({ local: null })).toEqual([]);
  });

  test("one that drains takes nothing over, nor does one whose packets could not be told from others'", () => {
    expect(siblings({ draining: true })[0]?.up).toBe(false);
    const unasked = new Map([[LOCAL, { link: "eth0", mac: null as never }]]);
    expect(siblings({}, unasked)[0]?.up).toBe(false);
  });

  test("a member of one gateway has none", () => {
    const alone = { catalogue: catalogueOf(...amber.joined(), amber.gateway()), own: amber.cluster, gateway: GW };
    expect(siblingsOf({ ...alone, neighbours: new Map(), isUp: () => true })).toEqual([]);
  });
});

test("siblingAddresses() are the others' own words", () => {
  const who = { own: amber.cluster, gateway: GW };
  expect(siblingAddresses({ ...who, catalogue: catalogue() })).toEqual([LOCAL]);
  expect(siblingAddresses({ ...who, catalogue: catalogue({ local: null }) })).toEqual([]);
});
