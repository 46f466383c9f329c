import { describe, expect, test } from "vitest";
import type { NodeName } from "#values";
import type { Envelope } from "#wire";
import { pairModes, takenHere } from "./pair-modes.ts";
import { candidatesOf, catalogueOf, cidr, grant, SERVICES, SUPERNET, TestMember } from "./testbed.ts";

const amber = new TestMember("amber", 1);
const birch = new TestMember("birch", 2);
const cedar = new TestMember("cedar", 3);

/** Each pair's mode, or why it is not direct: as the first of the two sees it, and as the second does. */
function modes(...records: readonly Envelope[]): Readonly<Record<string, readonly string[]>> {
  const catalogue = catalogueOf(...records);
  catalogue.bounds = { supernets: [SUPERNET], services: [SERVICES] };
  const seen = (one: TestMember, other: TestMember): string => {
    const mode = pairModes(catalogue, one.cluster).get(other.cluster);
    return mode?.kind === "globalnet" ? (mode.why ?? "nobody asked") : (mode?.kind ?? "no member");
  };
  const all = [amber, birch, cedar].filter(({ cluster }) => catalogue.members.has(cluster));
  const pairs = all.flatMap((one, at) => all.slice(at + 1).map((other) => [one, other] as const));
  return Object.fromEntries(
    pairs.map(([a, b]) => [`${a.cluster} ${b.cluster}`, [...new Set([seen(a, b), seen(b, a)])]] as const),
  );
}

describe("pairModes(): both members come to the same", () => {
  test("two that offer their pods, with networks apart, are reached directly", () => {
    const records = [
      ...amber.offering("10.1.0.0/16", "10.96.0.0/16"),
      ...birch.offering("10.2.0.0/16", "10.96.0.0/16"),
    ];
    expect(modes(...records)).toEqual({ "amber birch": ["direct"] });
  });

  test("unless both ask for it addresses are translated; where nobody does there is nothing to explain", () => {
    const records = [...amber.offering("10.1.0.0/16"), ...birch.joined(), birch.gateway()];
    expect(modes(...records, ...cedar.joined(), cedar.gateway())).toEqual({
      "amber birch": ["birch has --globalnet on"],
      "amber cedar": ["cedar has --globalnet on"],
      "birch cedar": ["nobody asked"],
    });
  });

  test("of three, each pair has its own mode", () => {
    const records = [...amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16", "10.3.0.0/24")];
    expect(modes(...records, ...cedar.offering("10.3.0.0/16"))).toEqual({
      "amber birch": ["direct"],
      "amber cedar": ["direct"],
      "birch cedar": ["10.3.0.0/16, pods of cedar, overlaps 10.3.0.0/24, which birch uses itself"],
    });
  });

  test("of two that claim the same network the one that joined first has it, towards everybody", () => {
    const records = [...amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16")];
    const why = "10.2.128.0/17, pods of cedar, overlaps 10.2.0.0/16 of birch";
    expect(modes(...records, grant(...sized("10.2.128.0/17", "242.3.0.0/17")), cedar.member(), offer(cedar))).toEqual({
      "amber birch": ["direct"],
      "amber cedar": [why],
      "birch cedar": [why],
    });
  });

  test("one that only translates may have the networks of another", () => {
    const records = [
      ...amber.offering("10.1.0.0/16"),
      ...birch.offering("10.2.0.0/16"),
      ...cedar.joined("10.2.0.0/16"),
    ];
    expect(modes(...records, cedar.gateway())["amber birch"]).toEqual(["direct"]);
  });

  test("a member one of whose gateways does not offer it is translated: not all of its nodes could take part", () => {
    const second = { kind: "gateway", ...birch.who, name: "b" as NodeName, index: 1 } as const;
    const records = [...amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16"), grant(second)];
    const old = birch.gateway({ name: "b", index: 1, address: "242.0.2.2" });
    expect(modes(...records, old)["amber birch"]).toEqual([
      "birch has --globalnet on, in one of its gateways at least",
    ]);
  });

  test.each([
    ["8.8.0.0/16", "8.8.0.0/16, pods of birch, is not private address space (RFC 1918, RFC 6598)"],
    ["10.0.0.0/7", "10.0.0.0/7, pods of birch, is not private address space (RFC 1918, RFC 6598)"],
    ["10.244.0.0/17", "10.244.0.0/17 of birch and its 242.2.0.0/16 differ in length"],
    ["198.51.100.0/24", "198.51.100.0/24, pods of birch, is not private address space (RFC 1918, RFC 6598)"],
  ])("%s as pods is not believed, whoever signed it", (local, why) => {
    expect(modes(...amber.offering("10.1.0.0/16"), ...birch.offering(local))["amber birch"]).toEqual([why]);
  });

  test("pods among which a gateway is reached would send tunnels into a tunnel", () => {
    const endpoints = Array(8).fill("10.2.0.9:51820") as string[];
    const records = [...amber.joined("10.1.0.0/16"), amber.gateway({ direct: { taken: [] }, endpoints })];
    expect(modes(...records, ...birch.offering("10.2.0.0/16"))["amber birch"]).toEqual([
      "pods of birch include 10.2.0.9, where amber/gw is reached",
    ]);
  });

  test("nor does the supernet give way", () => {
    const catalogue = catalogueOf(...amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16"));
    catalogue.bounds = { supernets: [cidr("10.0.0.0/14")], services: [] };
    expect(pairModes(catalogue, amber.cluster).get(birch.cluster)).toMatchObject({
      why: "10.1.0.0/16, pods of amber, overlaps the supernet 10.0.0.0/14",
    });
  });

  test("a member that left frees its network", () => {
    const catalogue = catalogueOf(...birch.offering("10.2.0.0/16"), ...amber.offering("10.1.0.0/16"));
    catalogue.apply(candidatesOf(...cedar.joined("10.2.0.0/16"), offer(cedar), birch.leave()));
    expect([...pairModes(catalogue, amber.cluster)]).toEqual([["cedar", { kind: "direct" }]]);
  });
});

describe("takenHere()", () => {
  const taken = (...used: readonly string[]) => takenHere([cidr("10.1.0.0/16")], used.map(cidr));

  test("is what is used beside the own pods, each once, the wider for all inside of it", () => {
    const used = ["10.96.0.0/16", "10.96.4.0/24", "10.1.3.0/24", "172.31.0.0/24", "10.96.0.0/16"];
    expect(taken(...used)).toEqual(["10.96.0.0/16", "172.31.0.0/24"]);
  });

  test("public networks are left out, since nobody's pods are there; one that holds private ones is not", () => {
    expect(taken("198.51.100.0/24", "fd00::/8", "8.0.0.0/6")).toEqual(["8.0.0.0/6"]);
  });

  test("more than can be said are all there are", () => {
    const many = Array.from({ length: 300 }, (_, i) => `10.${8 + (i >> 7)}.${(i & 127) * 2}.0/24`);
    expect(taken(...many)).toEqual(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]);
  });
});

function offer(member: TestMember): Envelope {
  return member.gateway({ direct: { taken: [] } });
}

/** cedar's grants, with pods of another size. */
function sized(local: string, prefix: string) {
  return cedar
    .entries()
    .map((entry) => (entry.kind === "pods" ? { ...entry, local: cidr(local), prefix: cidr(prefix) } : entry));
}
