import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endpoint, headless, ip, pods, virtual } from "./example-services.ts";
import { testbed, ZONE } from "./testbed.ts";
import { zoneShape, zoneShapes } from "./zone.ts";
import { ZoneBuilder } from "./zone-builder.ts";
import { createZoneMemory, HEAD } from "./zone-memory.ts";

const Z = "clusterset.local";

describe("put() and remove()", () => {
  test("answer as a plain map of services does, after any changes", () => {
    const change = fc.record({
      name: fc.integer({ min: 0, max: 30 }),
      namespace: fc.constantFrom("a", "b"),
      kind: fc.constantFrom("virtual", "headless", "empty", "remove"),
      octet: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), (changes) => {
        const bed = testbed();
        const model = new Map<string, string | undefined>();
        for (const { name, namespace, kind, octet } of changes) {
          const id = { namespace, name: `s${name}` };
          const address = `10.0.0.${octet}`;
          const key = `s${name}.${namespace}`;
          model.set(key, kind === "virtual" || kind === "headless" ? address : undefined);
          if (kind === "remove") bed.builder.remove(namespace, id.name);
          else if (kind === "virtual") bed.builder.put(virtual({ ...id, addresses: [ip(address)] }));
          else bed.builder.put(headless(kind === "empty" ? [] : [endpoint("p", "c", [address])], id));
          bed.builder.endBatch();
        }
        for (const [key, address] of model) {
          const { rcode, answers } = bed.ask(`${key}.svc.${Z}`, "A");
          expect([key, rcode]).toEqual([key, address === undefined ? "NXDOMAIN" : "NOERROR"]);
          expect(answers).toEqual(address === undefined ? [] : [`${key}.svc.${Z} 5 A ${address}`]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("memory does not grow under changes that change nothing in size", () => {
    const { builder, memory } = testbed([virtual(), headless(pods(20))]);
    builder.endBatch();
    const used = memory.words[HEAD.usedBytes];
    for (let i = 0; i < 5000; i++) {
      builder.put(virtual({ addresses: [ip(`10.0.${i >> 8}.${i & 255}`)] }));
      builder.remove("shop", "db");
      builder.put(headless(pods(20)));
      builder.endBatch();
    }
    expect(memory.words[HEAD.usedBytes]).toBe(used);
  });

  test("the table grows with the services, and none is lost", () => {
    const bed = testbed();
    for (let i = 0; i < 5000; i++) bed.builder.put(virtual({ name: `s${i}` }));
    for (let i = 0; i < 5000; i += 2) bed.builder.remove("shop", `s${i}`);
    bed.builder.endBatch();
    for (let i = 0; i < 5000; i++) {
      expect(bed.ask(`s${i}.shop.svc.${Z}`, "A").rcode).toBe(i % 2 === 0 ? "NXDOMAIN" : "NOERROR");
    }
    expect(bed.memory.words[HEAD.services]).toBe(2500);
  });

  test("10,000 services of one port need less than 8 MiB", () => {
    const { builder, memory } = testbed();
    for (let i = 0; i < 10_000; i++) builder.put(virtual({ namespace: `n${i % 100}`, name: `service-${i}` }));
    builder.endBatch();
    expect(memory.words[HEAD.usedBytes]).toBeLessThan(8 << 20);
  });

  test("the figures count services and names", () => {
    const { builder, memory } = testbed();
    const names = memory.words[HEAD.names] ?? 0;
    builder.put(virtual());
    // The service, `_tcp` and `_http._tcp` below it, and its namespace.
    expect(memory.words[HEAD.names]).toBe(names + 4);
    builder.put(virtual({ ports: [] }));
    expect(memory.words[HEAD.names]).toBe(names + 2);
    builder.remove("shop", "web");
    builder.remove("shop", "web");
    expect(memory.words[HEAD.names]).toBe(names);
    expect(memory.words[HEAD.services]).toBe(0);
  });
});

describe("a full memory", () => {
  test("put() is false, and the name answers as before", () => {
    const bed = testbed();
    const small = new ZoneBuilder(createZoneMemory(24 << 10, 1), zoneShapes(ZONE));
    let fitted = 0;
    while (small.put(virtual({ name: `s${fitted}` }))) fitted++;
    expect(fitted).toBeGreaterThan(5);
    expect(small.put(headless(pods(1000)))).toBe(false);
    expect(bed.builder.put(headless(pods(1000)))).toBe(true);
  });

  test("a memory that cannot hold the fixed names is refused at once", () => {
    expect(() => new ZoneBuilder(createZoneMemory(1024, 1), zoneShapes(ZONE))).toThrow("zone memory is too small");
  });
});

describe("zoneShape()", () => {
  test("refuses an origin or a lifetime that cannot be", () => {
    for (const origin of ["", "a..b", "x".repeat(64), "ü.local"]) {
      expect(() => zoneShape({ ...ZONE, origin })).toThrow("origin must be a domain name");
    }
    for (const ttl of [-1, 3601, 1.5]) expect(() => zoneShape({ ...ZONE, ttl })).toThrow("ttl must be 0 to 3600");
  });

  test("folds the origin", () => {
    expect(testbed([virtual()], { origin: "Mesh.EXAMPLE" }).ask("web.shop.svc.mesh.example", "A").answers).toHaveLength(
      1,
    );
  });
});
