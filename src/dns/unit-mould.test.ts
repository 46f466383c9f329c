import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ip, Protocol } from "#values";
import { endpoint, HTTP, headless, ip, virtual } from "./example-services.ts";
import { serviceUnit } from "./service-unit.ts";
import { testbed, ZONE } from "./testbed.ts";
import { unitBytes, writeUnit } from "./unit.ts";
import { UnitMould } from "./unit-mould.ts";
import { UnitMoulds } from "./unit-moulds.ts";
import { type ZoneService, type ZoneShape, zoneShape, zoneShapes } from "./zone.ts";
import { createZoneMemory } from "./zone-memory.ts";

const BLOCK = 4096;
const shape = zoneShape(ZONE);

const octet = fc.nat(255);
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const port = fc.record({
  name: fc.oneof(fc.constant(""), label),
  protocol: fc.constantFrom<Protocol>("TCP", "UDP", "SCTP"),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join(".") as Ip);
/** A name, and another that is as long. */
const twins = label.chain((first) =>
  fc.tuple(fc.constant(first), fc.stringMatching(new RegExp(`^[a-z0-9]{${first.length}}$`))),
);

/** written is the service's block as it is encoded, stamped as the mould has it. */
function written(service: ZoneService, zone: ZoneShape): Uint8Array {
  const { unit } = serviceUnit(service, zone);
  if (unit === undefined) throw new Error("the service has no unit");
  const memory = createZoneMemory(1 << 20, 0);
  writeUnit(memory, BLOCK, unit, 0);
  return memory.bytes.slice(BLOCK, BLOCK + unitBytes(unit));
}

function stamped(mould: UnitMould, service: ZoneService): Uint8Array {
  const memory = createZoneMemory(1 << 20, 0);
  mould.stamp(memory, BLOCK, service);
  return memory.bytes.slice(BLOCK, BLOCK + mould.bytes);
}

describe("a mould", () => {
  test("stamps, octet for octet, what would be encoded, for every service of its form", () => {
    const pair = fc.record({ name: twins, namespace: twins, address, ports: fc.array(port, { maxLength: 3 }) });
    let some = 0;
    fc.assert(
      fc.property(pair, address, ({ name, namespace, address: first, ports }, second) => {
        const one = virtual({ name: name[0], namespace: namespace[0], addresses: [first], ports });
        const other = virtual({ name: name[1], namespace: namespace[1], addresses: [second], ports });
        const mould = UnitMould.of(one, shape);
        if (mould === undefined) return;
        some += 1;
        expect(stamped(mould, other)).toEqual(written(other, shape));
        expect(stamped(mould, one)).toEqual(written(one, shape));
      }),
    );
    expect(some).toBeGreaterThan(30);
  });

  test("is none where a name of the service is too long, or where it has so many that they need a table", () => {
    const long = { name: "n".repeat(63), namespace: "s".repeat(63), ports: [{ ...HTTP, name: "p".repeat(63) }] };
    const origin = { ...ZONE, origin: `${"x".repeat(40)}.test` };
    expect(UnitMould.of(virtual(long), zoneShape(origin))).toBeUndefined();
    const ports = Array.from({ length: 7 }, (_, i) => ({ ...HTTP, name: `p${i}`, port: 80 + i }));
    expect(UnitMould.of(virtual({ ports }), shape)).toBeUndefined();
  });
});

describe("the moulds", () => {
  test("are made of a form that was met before, one for each zone", () => {
    const moulds = new UnitMoulds(zoneShapes({ ...ZONE, moreOrigins: ["example.org"] }));
    expect(moulds.of(virtual())).toBeUndefined();
    expect(moulds.of(virtual({ name: "api" }))).toHaveLength(2);
    expect(moulds.of(virtual({ name: "apis" }))).toBeUndefined();
  });

  test("are not for headless services, several addresses, IPv6, names that are folded", () => {
    const moulds = new UnitMoulds([shape]);
    const others = [
      headless([endpoint("p", "c", ["10.0.0.1"])]),
      virtual({ addresses: [] }),
      virtual({ addresses: [ip("10.0.0.1"), ip("10.0.0.2")] }),
      virtual({ addresses: [ip("fd00::1")] }),
      virtual({ name: "Web" }),
      virtual({ namespace: "sh\u00f6p" }),
    ];
    for (const service of [...others, ...others]) expect(moulds.of(service)).toBeUndefined();
  });

  test("forget: forms without end take no memory without end", () => {
    const moulds = new UnitMoulds([shape]);
    const met = (number: number) => moulds.of(virtual({ ports: [{ ...HTTP, port: number }] }));
    for (let number = 1; number <= 4900; number += 1) met(number);
    expect(met(1)).toBeUndefined();
    expect(met(4900)).toHaveLength(1);
  });
});

test("a headless service that becomes one of a usual form answers as such, its endpoints no more", () => {
  const bed = testbed([virtual({ name: "aa" }), virtual({ name: "ab" })]);
  bed.builder.put(headless([endpoint("p", "c", ["10.1.0.1"])], { name: "ac" }));
  bed.builder.put(virtual({ name: "ac", addresses: [ip("10.0.0.9")] }));
  expect(bed.ask("ac.shop.svc.clusterset.local", "A").answers).toEqual(["ac.shop.svc.clusterset.local 5 A 10.0.0.9"]);
  expect(bed.ask("p.c.ac.shop.svc.clusterset.local", "A").rcode).toBe("NXDOMAIN");
});
