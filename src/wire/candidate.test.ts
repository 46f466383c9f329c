import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { examine } from "./candidate.ts";
import type { Envelope } from "./record.ts";
import { seal, unsealed } from "./signature.ts";
import { allocationKey, exportOf, grant, TestMember, verifier } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const order = { epoch: 1, seq: 1 };
const faultOf = (envelope: Envelope): string => {
  const candidate = examine(envelope, verifier);
  return candidate.ok ? "" : candidate.error;
};

describe("examine()", () => {
  test("gives key, body, envelope and digest of a good record", () => {
    const envelope = amber.gateway();
    expect(examine(envelope, verifier)).toMatchObject({
      ok: true,
      value: { kind: "gateway", at: { cluster: "amber", name: "gw" }, body: { index: 0 }, envelope },
    });
  });

  test("keeps fields that this version does not know in the body's text", () => {
    const body = { ...exportOf("web", "242.1.0.5"), later: { deep: true } };
    const envelope = unsealed("export/amber/shop/web", order, body);
    const candidate = examine(envelope, verifier);
    expect(candidate.ok && candidate.value.envelope.body).toContain('"later":{"deep":true}');
  });

  test.each<[string, Envelope, RegExp]>([
    ["another cluster in a gateway's body", amber.gateway({ cluster: "birch" }), /another cluster/],
    ["another gateway's name", amber.gateway({ name: "other" }), /another gateway/],
    [
      "another service's name",
      unsealed("export/amber/shop/api", order, exportOf("web", "242.1.0.5")),
      /another service/,
    ],
    [
      "another cluster in a head",
      seal(amber.privateKey, "head/birch", order, JSON.parse(amber.head(order).body)),
      /another cluster/,
    ],
    [
      "another cluster in a leave",
      seal(amber.privateKey, "leave/birch", order, { ...amber.who, leftAt: 1 }),
      /another cluster/,
    ],
    [
      "another grant number",
      seal(allocationKey, "grant/2", order, JSON.parse(grant(1, ...amber.grants()).body)),
      /another grant number/,
    ],
    ["a key that is none", unsealed("export/amber", order, {}), /no such kind/],
    ["a body that is no JSON", { ...amber.gateway(), body: "{" }, /not JSON/],
    ["a body that is an array", { ...amber.gateway(), body: "[]" }, /expected object/],
    ["seven endpoints", amber.gateway({ endpoints: Array(7).fill(null) }), /endpoints/],
    ["index 8", amber.gateway({ index: 8 }), /index/],
    ["a tunnel key of 31 octets", amber.gateway({ tunnelKey: "A".repeat(40) }), /tunnelKey: not a WireGuard/],
    [
      "a port above 65535",
      unsealed("export/amber/shop/web", order, {
        ...exportOf("web", "242.1.0.5"),
        ports: [{ name: "", protocol: "TCP", port: 65_536 }],
      }),
      /ports.0.port/,
    ],
    ["an address with a prefix", amber.gateway({ address: "242.0.1.1/24" }), /address: not an IP/],
  ])("refuses %s, and names the record", (_, envelope, reason) => {
    expect(faultOf(envelope)).toMatch(reason);
    if (envelope.key !== "export/amber") expect(faultOf(envelope)).toContain(envelope.key);
  });

  test.each([
    ["member", seal(amber.privateKey, "member/amber", order, JSON.parse(amber.member().body))],
    ["eviction", seal(amber.privateKey, "eviction/amber", order, { ...amber.who, evictedAt: 1 })],
    ["grant", seal(amber.privateKey, "grant/1", order, JSON.parse(grant(1, ...amber.grants()).body))],
  ])("a %s that a member signed is not the broker's", (_, envelope) => {
    expect(faultOf(envelope)).toContain("not signed by the allocation key");
  });

  test("never throws, whatever comes", () => {
    const anything = fc.record({
      key: fc.oneof(fc.string(), fc.constantFrom("head/amber", "grant/1", "export/amber/shop/web", "nodes/amber")),
      order: fc.record({ epoch: fc.nat(), seq: fc.nat() }),
      body: fc.oneof(fc.string(), fc.json()),
      signature: fc.constantFrom(null, amber.gateway().signature),
    });
    fc.assert(
      fc.property(anything, (envelope) => {
        expect(typeof examine(envelope, verifier).ok).toBe("boolean");
      }),
    );
  });
});
