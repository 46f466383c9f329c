import { describe, expect, test } from "vitest";
import type { Namespace, ServiceName } from "#values";
import { type Allocation, granted, rested } from "./allocation.ts";
import { Ledger, serviceKey } from "./ledger.ts";
import { cluster, ip, net, T0, uid } from "./testbed.ts";

const WEB = { namespace: "shop" as Namespace, name: "web" as ServiceName };

function pods(n: number, prefix: string): Allocation {
  return granted(
    { prefix: net(prefix), kind: "pods", cluster: cluster(n), uid: uid(n), local: net("10.0.0.0/16") },
    T0,
  );
}

function web(prefix: string): Allocation {
  return granted({ prefix: net(prefix), kind: "service", ...WEB, askedBy: cluster(1) }, T0);
}

function ledgerOf(...allocations: readonly Allocation[]): Ledger {
  const ledger = new Ledger([net("242.0.0.0/8")]);
  for (const allocation of allocations) ledger.put(allocation);
  return ledger;
}

describe("Ledger", () => {
  test("put() indexes by prefix, member, service and address", () => {
    const [a, b, w] = [pods(1, "242.1.0.0/16"), pods(2, "242.2.0.0/16"), web("242.200.0.1/32")];
    const ledger = ledgerOf(w, b, a);
    expect(ledger.at(a.prefix)).toBe(a);
    expect(ledger.of(uid(2))).toEqual([b]);
    expect(ledger.service(4, WEB.namespace, WEB.name)).toBe(w);
    expect(ledger.service(6, WEB.namespace, WEB.name)).toBeUndefined();
    expect(ledger.asked(cluster(1))).toBe(1);
    expect(ledger.whois(ip("242.200.0.1"))).toBe(w);
    expect(ledger.list()).toEqual([a, b, w]);
  });

  test("put() of a new state replaces the old one in every index", () => {
    const a = pods(1, "242.1.0.0/16");
    const ledger = ledgerOf(a, rested(a, T0));
    expect(ledger.resting()).toEqual([rested(a, T0)]);
    ledger.put(a);
    expect(ledger.resting()).toEqual([]);
    expect(ledger.of(uid(1))).toEqual([a]);
    expect(ledger.list()).toEqual([a]);
  });

  test("drop() leaves no trace, and the space is free again", () => {
    const ledger = ledgerOf(pods(1, "242.1.0.0/16"), rested(web("242.200.0.1/32"), T0));
    ledger.drop(net("242.1.0.0/16"));
    ledger.drop(net("242.200.0.1/32"));
    ledger.drop(net("242.200.0.1/32"));
    expect(ledger.list()).toEqual([]);
    expect(ledger.resting()).toEqual([]);
    expect(ledger.of(uid(1))).toEqual([]);
    expect(ledger.asked(cluster(1))).toBe(0);
    expect(ledger.whois(ip("242.1.0.1"))).toBeUndefined();
    expect(ledger.overlapping(net("242.0.0.0/8"))).toBeUndefined();
    ledger.put(pods(2, "242.0.0.0/8"));
  });

  test("overlapping() finds what covers a network, what lies in it, and the lowest of several", () => {
    const ledger = ledgerOf(pods(3, "242.3.0.0/16"), pods(2, "242.2.0.0/16"));
    expect(ledger.overlapping(net("242.2.7.0/24"))?.cluster).toBe("c2");
    expect(ledger.overlapping(net("242.0.0.0/12"))?.cluster).toBe("c2");
    expect(ledger.overlapping(net("242.4.0.0/14"))).toBeUndefined();
    expect(ledger.overlapping(net("10.0.0.0/8"))).toBeUndefined();
    expect(ledger.overlapping(net("::/0"))).toBeUndefined();
  });

  test("put() throws for a prefix of another owner, an overlap, and a second address of a service", () => {
    const ledger = ledgerOf(pods(1, "242.1.0.0/16"), web("242.200.0.1/32"));
    expect(() => ledger.put(pods(2, "242.1.0.0/16"))).toThrow(
      "has another owner: 242.1.0.0/16, the pods of cluster c1",
    );
    expect(() => ledger.put(pods(2, "242.1.2.0/24"))).toThrow("overlaps 242.1.0.0/16, the pods of cluster c1");
    expect(() => ledger.put(web("242.200.0.2/32"))).toThrow("two addresses");
    expect(() => ledger.put(pods(2, "fd00::/64"))).toThrow("outside the supernet");
  });
});

describe("serviceKey()", () => {
  test("tells families, namespaces and names apart", () => {
    const keys = [
      serviceKey(4, WEB.namespace, WEB.name),
      serviceKey(6, WEB.namespace, WEB.name),
      serviceKey(4, "web" as Namespace, "shop" as ServiceName),
    ];
    expect(new Set(keys).size).toBe(3);
  });
});
