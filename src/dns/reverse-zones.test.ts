import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cidr } from "#values";
import { endpoint, headless, ip, virtual } from "./example-services.ts";
import { reverseLabels } from "./reverse-name.ts";
import { ReverseZones } from "./reverse-zones.ts";
import { type Testbed, testbed, ZONE } from "./testbed.ts";
import type { Unit } from "./unit.ts";
import { labelOctets } from "./wire-name.ts";
import { zoneShape, zoneShapes } from "./zone.ts";
import { ZoneBuilder } from "./zone-builder.ts";
import { createZoneMemory, HEAD } from "./zone-memory.ts";

const Z = "clusterset.local";

function setReverse({ builder }: Pick<Testbed, "builder">, ...networks: readonly string[]): boolean {
  const steps = builder.setReverse(networks as readonly Cidr[]);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function reversed(...networks: readonly string[]): Testbed {
  const bed = testbed([], { serverAddresses: [ip("10.9.9.9")] });
  setReverse(bed, ...networks);
  return bed;
}

const nameOf = (address: string): string => reverseLabels(ip(address)).join(".");

describe("PTR", () => {
  test("an endpoint's address has the name that has the address; a clusterset IP has none", () => {
    const bed = reversed("242.0.0.0/8");
    bed.builder.put(headless([endpoint("p0", "amber", ["242.1.3.7", "10.244.3.7"])]));
    bed.builder.put(virtual({ addresses: [ip("242.192.0.1")] }));
    expect(bed.ask(nameOf("242.1.3.7"), "PTR")).toMatchObject({
      rcode: "NOERROR",
      authoritative: true,
      answers: [`7.3.1.242.in-addr.arpa 5 PTR p0.amber.db.shop.svc.${Z}`],
      authorities: [],
    });
    expect(bed.ask(nameOf("242.192.0.1"), "PTR").rcode).toBe("NXDOMAIN");
    expect(bed.ask(nameOf("10.244.3.7"), "PTR").rcode).toBe("REFUSED");
  });

  test("an address that several services have has all their names, each once", () => {
    const bed = reversed("242.0.0.0/8");
    for (const name of ["b", "a", "c"]) bed.builder.put(headless([endpoint("p0", "x", ["242.1.0.1"])], { name }));
    const names = () => bed.ask(nameOf("242.1.0.1"), "PTR").answers.map((line) => line.split(" ").at(-1));
    expect(names()).toEqual(["a", "b", "c"].map((name) => `p0.x.${name}.shop.svc.${Z}`));
    bed.builder.remove("shop", "b");
    bed.builder.put(headless([], { name: "c" }));
    expect(names()).toEqual([`p0.x.a.shop.svc.${Z}`]);
  });

  test("one that gets another name is written once and removed never: at no time it is without", () => {
    const told: string[] = [];
    const publisher = {
      put: ({ names }: Unit) => told.push(`put ${names[0]?.sets.length}`) > 0,
      remove: () => void told.push("remove"),
    };
    const zones = new ReverseZones(publisher, { like: zoneShape(ZONE), firstId: 1, room: 1000 });
    for (const _ of zones.setNetworks(["242.0.0.0/8" as Cidr], () => true));
    const pointer = (host: string) => ({ address: ip("242.1.0.1"), target: labelOctets([host]) ?? new Uint8Array(0) });
    zones.put("shop/db", [pointer("p0")]);
    told.length = 0;
    zones.put("shop/db", [pointer("p1")]);
    zones.put("shop/db", [pointer("p1")]);
    expect(told).toEqual(["put 1"]);
    zones.remove("shop/db");
    expect(told).toEqual(["put 1", "remove", "remove", "remove"]);
  });

  test("the zone has SOA, NS and glue of its own, and absences carry its SOA", () => {
    const bed = reversed("242.0.0.0/8");
    const soa = "242.in-addr.arpa 5 SOA ns.dns.242.in-addr.arpa hostmaster.242.in-addr.arpa 1000 7200 1800 86400 5";
    expect(bed.ask("242.in-addr.arpa", "SOA").answers).toEqual([soa]);
    expect(bed.ask("242.in-addr.arpa", "NS")).toMatchObject({
      answers: ["242.in-addr.arpa 5 NS ns.dns.242.in-addr.arpa"],
      additionals: ["ns.dns.242.in-addr.arpa 5 A 10.9.9.9"],
    });
    expect(bed.ask(nameOf("242.9.9.9"), "PTR")).toMatchObject({ rcode: "NXDOMAIN", authorities: [soa] });
    for (const name of ["svc", "pod", "dns-version"]) {
      expect(bed.ask(`${name}.242.in-addr.arpa`, "A").rcode).toBe("NXDOMAIN");
    }
    bed.builder.setSynced(false);
    expect(bed.ask(nameOf("242.9.9.9"), "PTR")).toMatchObject({ rcode: "SERVFAIL", authorities: [soa] });
  });

  test("IPv6 by nibbles, with every name between", () => {
    const bed = reversed("fd00:aa::/32");
    bed.builder.put(headless([endpoint("p0", "amber", ["fd00:aa:1::7"])]));
    const name = nameOf("fd00:aa:1::7");
    expect(bed.ask(name, "PTR").answers).toEqual([`${name} 5 PTR p0.amber.db.shop.svc.${Z}`]);
    const labels = name.split(".");
    for (let i = 1; i < labels.length - 10; i++) {
      expect(bed.ask(labels.slice(i).join("."), "PTR")).toMatchObject({ rcode: "NOERROR", answers: [] });
    }
    bed.builder.put(headless([]));
    expect(bed.ask(labels.slice(1).join("."), "PTR").rcode).toBe("NXDOMAIN");
    expect(bed.ask("a.a.0.0.0.0.d.f.ip6.arpa", "NS").answers).toHaveLength(1);
  });

  test("a network that is cut within a label is answered to its borders and not beyond", () => {
    const bed = reversed("242.64.0.0/10");
    bed.builder.put(headless(["242.64.0.1", "242.127.255.254"].map((at, i) => endpoint(`p${i}`, "a", [at]))));
    expect(bed.ask(nameOf("242.64.0.1"), "PTR").answers).toHaveLength(1);
    expect(bed.ask(nameOf("242.127.255.254"), "PTR").answers).toHaveLength(1);
    for (const outside of ["242.63.255.255", "242.128.0.1", "241.64.0.1"]) {
      expect(bed.ask(nameOf(outside), "PTR").rcode).toBe("REFUSED");
    }
    expect(bed.ask("242.in-addr.arpa", "SOA").rcode).toBe("REFUSED");
  });
});

describe("setReverse()", () => {
  const POD = headless([endpoint("p0", "a", ["242.1.0.1"])]);

  test("networks that go take their names along, those that stay keep theirs, and memory comes back", () => {
    const bed = reversed("242.0.0.0/8");
    const before = bed.memory.words[HEAD.names];
    setReverse(bed, "242.0.0.0/8", "10.0.0.0/8");
    bed.builder.put(headless(["242.1.0.1", "10.1.0.1"].map((at, i) => endpoint(`p${i}`, "a", [at]))));
    setReverse(bed, "242.0.0.0/8");
    expect(bed.ask(nameOf("10.1.0.1"), "PTR").rcode).toBe("REFUSED");
    expect(bed.ask(nameOf("242.1.0.1"), "PTR").answers).toHaveLength(1);
    bed.builder.remove("shop", "db");
    expect(bed.memory.words[HEAD.names]).toBe(before);
    setReverse(bed);
    expect(bed.ask("242.in-addr.arpa", "SOA").rcode).toBe("REFUSED");
    expect(bed.memory.words[HEAD.names]).toBe(testbed().memory.words[HEAD.names]);
  });

  test("a wider or narrower network answers once services are put again", () => {
    const bed = reversed("242.1.0.0/16");
    bed.builder.put(POD);
    for (const network of ["242.0.0.0/8", "242.1.0.0/24", "242.0.0.0/10"]) {
      setReverse(bed, network);
      bed.builder.put(POD);
      expect(bed.ask(nameOf("242.1.0.1"), "PTR").answers).toHaveLength(1);
    }
    bed.builder.remove("shop", "db");
    expect(bed.ask(nameOf("242.1.0.1"), "PTR").rcode).toBe("NXDOMAIN");
  });

  test("a network within another is the other's", () => {
    const bed = reversed("242.0.0.0/8", "242.1.0.0/16", "242.0.0.0/8");
    bed.builder.put(POD);
    expect(bed.ask(nameOf("242.1.0.1"), "PTR").answers).toHaveLength(1);
    expect(bed.ask("1.242.in-addr.arpa", "SOA")).toMatchObject({ rcode: "NOERROR", answers: [] });
  });

  test("a memory that cannot hold the zones is told of, and what was there answers", () => {
    const small = createZoneMemory(16 << 10, 1);
    const builder = new ZoneBuilder(small, zoneShapes(ZONE));
    expect(builder.put(POD)).toBe(true);
    expect(setReverse({ builder }, "10.0.0.0/9")).toBe(false);
  });
});

test("an update costs what its own addresses cost, whatever number of others there is", () => {
  const bed = reversed("10.0.0.0/8");
  for (let i = 0; i < 200; i++) {
    const own = Array.from({ length: 50 }, (_, j) => endpoint(`p${j}`, "a", [`10.1.${i}.${j}`]));
    bed.builder.put(headless(own, { name: `s${i}` }));
  }
  bed.builder.endBatch();
  const used = bed.memory.words[HEAD.usedBytes];
  const one = (host: string) => headless([endpoint(host, "a", ["10.200.0.1"])]);
  bed.builder.put(one("p0"));
  bed.builder.endBatch();
  bed.builder.put(one("p1"));
  bed.builder.endBatch();
  expect((bed.memory.words[HEAD.usedBytes] ?? 0) - (used ?? 0)).toBeLessThan(1500);
  expect(bed.ask(nameOf("10.200.0.1"), "PTR").answers).toEqual([expect.stringContaining("p1.a.db")]);
});

test("after any changes PTR answers as a plain map does, and names exist exactly above addresses", () => {
  const address = fc.constantFrom("242.1.0.1", "242.1.0.2", "242.1.9.1", "242.2.0.1", "10.0.0.1", "fd00::1", "fd00::2");
  const change = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    kind: fc.constantFrom("put", "put", "put", "remove", "networks"),
    addresses: fc.uniqueArray(address, { maxLength: 4 }),
    networks: fc.constantFrom([], ["242.0.0.0/8"], ["242.1.0.0/16", "fd00::/64"], ["242.0.0.0/10", "10.0.0.0/8"]),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const bed = reversed("242.0.0.0/8");
      const model = new Map<string, readonly string[]>();
      for (const { name, kind, addresses, networks } of changes) {
        const putAll = kind === "networks" && setReverse(bed, ...networks);
        if (kind === "put") model.set(name, addresses);
        if (kind === "remove") model.delete(name);
        for (const [of, at] of model) {
          const service = headless(
            [endpoint("p", "x", at)].filter(() => at.length > 0),
            { name: of },
          );
          if (putAll || of === name) bed.builder.put(service);
        }
        if (kind === "remove") bed.builder.remove("shop", name);
        bed.builder.endBatch();
      }
      setReverse(bed, "242.0.0.0/8");
      for (const [of, at] of model) {
        bed.builder.put(
          headless(
            [endpoint("p", "x", at)].filter(() => at.length > 0),
            { name: of },
          ),
        );
      }
      const held = new Set([...model.values()].flat());
      for (const at of ["242.1.0.1", "242.1.0.2", "242.1.9.1", "242.2.0.1"]) {
        const owners = [...model].filter(([, all]) => all.includes(at)).map(([of]) => `p.x.${of}.shop.svc.${Z}`);
        const got = bed.ask(nameOf(at), "PTR");
        expect(got.answers.map((line) => line.split(" ").at(-1)).toSorted()).toEqual(owners.toSorted());
        const above = nameOf(at).split(".").slice(1).join(".");
        const exists = [...held].some((one) => nameOf(one).endsWith(`.${above}`));
        expect(bed.ask(above, "PTR").rcode).toBe(exists ? "NOERROR" : "NXDOMAIN");
      }
    }),
    { numRuns: 150 },
  );
});
