import { describe, expect, test } from "vitest";
import { endpoint, headless, ip, virtual } from "./example-services.ts";
import { FLAG, message, testbed } from "./testbed.ts";

const Z = "clusterset.local";
const SOA = `${Z} 5 SOA ns.dns.${Z} hostmaster.${Z} 1000 7200 1800 86400 5`;

/** What the zone of these tests holds: one service of each kind that the specification tells apart. */
const SERVICES = [
  virtual({ addresses: [ip("10.0.0.1"), ip("fd00::1")] }),
  virtual({ name: "v4", ports: [] }),
  virtual({ name: "pending", addresses: [] }),
  virtual({
    name: "dns",
    ports: [
      { name: "dns", protocol: "UDP", port: 53 },
      { name: "dns-tcp", protocol: "TCP", port: 53 },
      { name: "", protocol: "TCP", port: 9153 },
    ],
  }),
  headless([endpoint("p0", "a", ["10.1.0.1"]), endpoint("p0", "b", ["10.2.0.1", "fd00:2::1"])]),
  headless([], { name: "none" }),
];
const bed = testbed(SERVICES, { serverAddresses: [ip("10.9.9.9"), ip("fd00::9")] });

describe("5.4 Z: the zone as a whole", () => {
  const empty = [
    Z,
    `svc.${Z}`,
    `shop.svc.${Z}`,
    `_tcp.web.shop.svc.${Z}`,
    `a.db.shop.svc.${Z}`,
    `dns.${Z}`,
    `pod.${Z}`,
  ];
  test.each(empty)("Z1: %s is NODATA for every type it has not", (name) => {
    for (const type of ["A", "AAAA", "TXT", "NS", "SOA", "HTTPS", "SRV", "DNSKEY", "TYPE666"]) {
      if (name === Z && (type === "NS" || type === "SOA")) continue;
      expect(bed.ask(name, type)).toMatchObject({ rcode: "NOERROR", answers: [], authorities: [SOA] });
    }
  });

  test("Z2: NXDOMAIN is the same for every type", () => {
    for (const type of ["A", "AAAA", "TXT", "SRV", "SOA", "NS", "HTTPS", "ANY", "TYPE1000"]) {
      expect(bed.ask(`gone.shop.svc.${Z}`, type).rcode).toBe("NXDOMAIN");
    }
  });

  test("Z3: the serial never goes back, by RFC 1982 arithmetic", () => {
    const { builder, ask } = testbed();
    const serial = (): number => Number(ask(Z, "SOA").answers[0]?.split(" ")[5]);
    for (const [given, shown] of [
      [2000, 2000],
      [1999, 2000],
      [2 ** 31 + 1500, 2 ** 31 + 1500],
      [2 ** 32 - 1, 2 ** 32 - 1],
      [2 ** 31 + 1500, 2 ** 32 - 1],
      [5, 5],
    ] as const) {
      builder.setSerial(given);
      expect(serial()).toBe(shown);
    }
  });

  test("Z4: all records of a set have one lifetime", () => {
    const lifetimes = bed.ask(`db.shop.svc.${Z}`, "SRV").answers.map((line) => line.split(" ")[1]);
    expect(new Set(lifetimes)).toEqual(new Set(["5"]));
  });

  test("Z6: before the first sync, unknown is SERVFAIL with EDE 14 and known is answered", () => {
    const early = testbed([virtual()]);
    early.builder.setSynced(false);
    expect(early.ask(`web.shop.svc.${Z}`, "A").answers).toHaveLength(1);
    const unknown = early.ask(`db.shop.svc.${Z}`, "A", { edns: {} });
    expect(unknown).toMatchObject({ rcode: "SERVFAIL", authoritative: false, extendedError: 14 });
    expect(unknown.authorities).toHaveLength(1);
    expect(early.ask(`db.shop.svc.${Z}`, "A")).toMatchObject({ rcode: "SERVFAIL", edns: false });
    early.builder.setSynced(true);
    expect(early.ask(`db.shop.svc.${Z}`, "A").rcode).toBe("NXDOMAIN");
  });
});

describe("names at their limits", () => {
  const long = "x".repeat(63);

  test("an endpoint whose name would be too long keeps its address and loses its name", () => {
    const endpoints = [endpoint(long, long, ["10.1.0.1"]), endpoint("p1", "a", ["10.1.0.2"])];
    const { ask } = testbed([headless(endpoints, { namespace: long, name: long })]);
    expect(ask(`${long}.${long}.svc.${Z}`, "A").answers).toHaveLength(2);
    expect(ask(`${long}.${long}.svc.${Z}`, "SRV", { edns: {} }).answers).toHaveLength(1);
  });

  test("a name of 255 octets is answered", () => {
    const name = `${"a".repeat(40)}.${long}.${long}.${long}.svc.${Z}`;
    expect(message(name, 1).length).toBe(12 + 4 + 255);
    expect(testbed().ask(name, "A").rcode).toBe("NXDOMAIN");
  });

  test("RD and CD come back as asked, RA, AD and Z never", () => {
    for (const flags of [0, FLAG.RD, FLAG.CD, FLAG.RD | FLAG.CD]) {
      const sent = flags | FLAG.AD | FLAG.Z | FLAG.RA | FLAG.TC;
      expect(bed.ask(`web.shop.svc.${Z}`, "A", { flags: sent }).flags).toBe(FLAG.QR | FLAG.AA | flags);
    }
  });
});
