import { describe, expect, test } from "vitest";
import { endpoint, HTTP, headless, ip, pods, virtual } from "./example-services.ts";
import { fixedUnits, namespaceUnit } from "./fixed-units.ts";
import { hashOctets, sameFolded } from "./hash.ts";
import { serviceKey, serviceUnit } from "./service-unit.ts";
import { ZONE } from "./testbed.ts";
import { type Unit, unitBytes, writeUnit } from "./unit.ts";
import { labelOctets, latin1 } from "./wire-name.ts";
import { zoneShape } from "./zone.ts";
import { createZoneMemory } from "./zone-memory.ts";

const shape = zoneShape(ZONE);

/** labelsOf shows a key as text, a dot before each label. */
function labelsOf(key: Uint8Array): string {
  const [length = 0] = key;
  return key.length === 0 ? "" : `.${latin1(key.slice(1, 1 + length))}${labelsOf(key.slice(1 + length))}`;
}

/** outline shows a unit's names, each with its types and how many records they have. */
function outline(unit: Unit | undefined): Readonly<Record<string, string>> {
  const names = unit?.names ?? [];
  const shown = names.map(({ key, sets }): [string, string] => {
    return [
      labelsOf(key),
      sets.map(({ type, count, additionalCount }) => `${type}:${count}+${additionalCount}`).join(" "),
    ];
  });
  return Object.fromEntries(shown);
}

describe("serviceUnit()", () => {
  test("a ClusterSetIP: the service, its ports, and what is between", () => {
    expect(outline(serviceUnit(virtual({ addresses: [ip("10.0.0.1"), ip("fd00::1")] }), shape).unit)).toEqual({
      "": "1:1+0 28:1+0 33:1+2",
      "._tcp": "",
      "._http._tcp": "1:1+0 28:1+0 33:1+2",
    });
  });

  test("a headless service: its members' names too", () => {
    const service = headless([endpoint("p0", "east", ["10.1.0.1"]), endpoint("p1", "west", ["10.2.0.1"])]);
    expect(outline(serviceUnit(service, shape).unit)).toEqual({
      "": "1:2+0 33:2+2",
      "._tcp": "",
      "._http._tcp": "1:2+0 33:2+2",
      ".east": "",
      ".p0.east": "1:1+0",
      ".west": "",
      ".p1.west": "1:1+0",
    });
  });

  test("endpoints of one hostname in one cluster are one name with all addresses", () => {
    const twice = headless([endpoint("p0", "a", ["10.1.0.1"]), endpoint("P0", "a", ["fd00::1", "10.1.0.1"])]);
    expect(outline(serviceUnit(twice, shape).unit)[".p0.a"]).toBe("1:1+0 28:1+0");
  });

  test("an address that two endpoints have is in the answer once", () => {
    const same = headless([endpoint("p0", "a", ["10.1.0.1"]), endpoint("p1", "a", ["10.1.0.1"])]);
    expect(outline(serviceUnit(same, shape).unit)[""]).toBe("1:1+0 33:2+2");
  });

  test("a port that some endpoints have has their addresses alone", () => {
    const admin = { name: "admin", protocol: "UDP", port: 99 } as const;
    const service = headless([endpoint("p0", "a", ["10.1.0.1"], [HTTP, admin]), endpoint("p1", "a", ["10.1.0.2"])]);
    const names = outline(serviceUnit(service, shape).unit);
    expect([names["._http._tcp"], names["._admin._udp"]]).toEqual(["1:2+0 33:2+2", "1:1+0 33:1+1"]);
  });

  test("equal endpoints in another order are equal octets", () => {
    const endpoints = pods(50);
    const { unit } = serviceUnit(headless(endpoints), shape);
    expect(serviceUnit(headless(endpoints.toReversed()), shape).unit).toEqual(unit);
  });

  test("no name: no endpoint, endpoints without an address, or a name that is none", () => {
    expect(serviceUnit(headless([]), shape)).toMatchObject({ unit: undefined, skipped: 0 });
    expect(serviceUnit(headless([endpoint("p0", "a", [])]), shape)).toMatchObject({ unit: undefined, skipped: 0 });
    expect(serviceUnit(virtual({ name: "x".repeat(64) }), shape)).toMatchObject({ unit: undefined, skipped: 1 });
    expect(serviceKey("", "web")).toBeUndefined();
  });

  test("a port whose name is no label has no name, and its record at the service stays", () => {
    const odd = virtual({
      ports: [
        { name: "x".repeat(63), protocol: "TCP", port: 1 },
        { ...HTTP, name: "a.b" },
      ],
    });
    expect(Object.keys(outline(serviceUnit(odd, shape).unit))).toEqual([""]);
    expect(outline(serviceUnit(odd, shape).unit)[""]).toBe("1:1+0 33:2+1");
    expect(serviceUnit(odd, shape).skipped).toBe(2);
  });

  test("glue is left out where pointers do not reach", () => {
    const [own] = serviceUnit(headless(pods(1000)), shape).unit?.names ?? [];
    const srv = own?.sets.find(({ type }) => type === 33);
    expect(srv?.count).toBe(1000);
    expect(srv?.additionalCount).toBe(0);
  });
});

describe("fixed units", () => {
  test("are the apex, dns-version, ns.dns, svc, dns and pod", () => {
    const units = fixedUnits(zoneShape({ ...ZONE, serverAddresses: [ip("10.9.9.9"), ip("fd00::9")] }));
    expect(units.map(({ key }) => labelsOf(key))).toEqual(["", ".dns", ".ns.dns", ".dns-version", ".svc", ".pod"]);
    expect(units.map((unit) => outline(unit)[""])).toEqual(["2:1+2", "", "1:1+0 28:1+0", "16:1+0", "", ""]);
  });

  test("a namespace's unit has no record, and there is none for what is no label", () => {
    expect(outline(namespaceUnit(shape, "shop", "svc"))).toEqual({ "": "" });
    expect(namespaceUnit(shape, "", "svc")).toBeUndefined();
  });
});

describe("writeUnit()", () => {
  test("fills its block and nothing else", () => {
    const memory = createZoneMemory(1 << 20, 99);
    for (const service of [virtual(), headless(pods(1)), headless(pods(33)), virtual({ ports: [] })]) {
      const { unit } = serviceUnit(service, shape);
      if (unit === undefined) throw new Error("no unit");
      const block = 4096;
      memory.bytes.fill(0xee);
      writeUnit(memory, block, unit, 99);
      const end = block + unitBytes(unit);
      expect(memory.bytes.subarray(0, block).every((octet) => octet === 0xee)).toBe(true);
      expect(memory.bytes.subarray(end).every((octet) => octet === 0xee)).toBe(true);
    }
  });

  test("keeps equal data once: names of ports share the service's addresses", () => {
    const addresses = Array.from({ length: 200 }, (_, i) => ip(`10.0.1.${i}`));
    const ports = [1, 2, 3, 4, 5].map((port) => ({ name: `p${port}`, protocol: "TCP", port }) as const);
    const one = serviceUnit(virtual({ addresses, ports: ports.slice(0, 1) }), shape).unit;
    const five = serviceUnit(virtual({ addresses, ports }), shape).unit;
    if (one === undefined || five === undefined) throw new Error("no unit");
    // Glue of each SRV set is its own (it points to its own question); the 3,200 octets of addresses are shared.
    expect(unitBytes(five) - unitBytes(one)).toBeLessThan(4 * (3200 + 400));
  });
});

describe("hashOctets()", () => {
  test("ignores case, and nothing else", () => {
    const of = (text: string, seed = 1): number => {
      const octets = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      return hashOctets(seed, octets, 0, octets.length);
    };
    expect(of("WeB")).toBe(of("web"));
    expect(of("[")).not.toBe(of("{"));
    expect(of("web", 2)).not.toBe(of("web", 1));
  });

  test("spreads names over the slots of a table", () => {
    const slots = new Uint16Array(1024);
    for (let i = 0; i < 10_240; i++) {
      const key = labelOctets([`svc${i}`, "shop", "svc"]) ?? new Uint8Array(0);
      const slot = hashOctets(7, key, 0, key.length) & 1023;
      slots[slot] = (slots[slot] ?? 0) + 1;
    }
    // Ten each on average; a Poisson distribution goes to about 25.
    expect(Math.max(...slots)).toBeLessThan(32);
  });

  test("sameFolded() compares octets with a folded key", () => {
    const octets = Uint8Array.from([0, 3, 0x57, 0x65, 0x42, 9]);
    const key = Uint8Array.from([3, 0x77, 0x65, 0x62]);
    expect(sameFolded(octets, 1, 4, key, 0)).toBe(true);
    expect(sameFolded(octets, 2, 3, key, 0)).toBe(false);
  });
});
