import { describe, expect, test } from "vitest";
import type { Cidr } from "#values";
import { ip } from "./example-services.ts";
import { reverseLabels, reverseOrigins, zoneLabels } from "./reverse-name.ts";

const origins = (cidr: string): readonly string[] => reverseOrigins(cidr as Cidr).map((labels) => labels.join("."));

describe("reverseLabels()", () => {
  test("turns octets and nibbles around (RFC 1035 section 3.5, RFC 3596 section 2.5)", () => {
    expect(reverseLabels(ip("242.2.3.7")).join(".")).toBe("7.3.2.242.in-addr.arpa");
    expect(reverseLabels(ip("4321:0:1:2:3:4:567:89ab")).join(".")).toBe(
      "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
    );
  });
});

describe("reverseOrigins()", () => {
  test.each([
    ["242.0.0.0/8", ["242.in-addr.arpa"]],
    ["242.2.0.0/16", ["2.242.in-addr.arpa"]],
    ["10.1.2.3/32", ["3.2.1.10.in-addr.arpa"]],
    ["242.0.0.0/7", ["242.in-addr.arpa", "243.in-addr.arpa"]],
    ["0.0.0.0/0", ["in-addr.arpa"]],
    ["::/0", ["ip6.arpa"]],
    ["fd00::/8", ["d.f.ip6.arpa"]],
    ["fd12:3456:789a::/48", ["a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"]],
    ["fd12:3456:789a::/47", ["a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa", "b.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"]],
  ])("%s is %j", (cidr, zones) => {
    expect(origins(cidr)).toEqual(zones);
    for (const zone of zones) expect(zone.split(".")).toHaveLength(zoneLabels(cidr as Cidr));
  });

  test("a cut within an octet is as many zones as it takes, and no more", () => {
    const zones = origins("242.64.0.0/10");
    expect(zones).toHaveLength(64);
    expect([zones[0], zones.at(-1)]).toEqual(["64.242.in-addr.arpa", "127.242.in-addr.arpa"]);
    expect(origins("242.0.0.0/9")).toHaveLength(128);
  });
});
