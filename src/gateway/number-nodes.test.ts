import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Cidr, Ip, NodeName } from "#values";
import { type NumberedNode, numberNodes } from "./number-nodes.ts";

const PREFIX = "242.0.1.0/24" as Cidr;
const name = (text: string) => text as NodeName;
const GATEWAYS = [
  { name: name("b"), index: 1 },
  { name: name("a"), index: 0 },
];
const number = (others: readonly string[], before: readonly NumberedNode[] = []) =>
  numberNodes({ prefix: PREFIX, gateways: GATEWAYS, others: others.map(name), before });
const texts = (nodes: readonly NumberedNode[]) => nodes.map(({ name: node, address }) => `${node} ${address}`);

describe("numberNodes()", () => {
  test("gives gateways the place of their index, and the others the first free ones behind all indices", () => {
    expect(texts(number(["z", "c"]))).toEqual(["a 242.0.1.1", "b 242.0.1.2", "c 242.0.1.9", "z 242.0.1.10"]);
  });

  test("leaves a node where it was when another comes or goes, and gives a free place again", () => {
    const before = number(["c", "d"]);
    const without = number(["d"], before);
    expect(texts(without).at(-1)).toBe("d 242.0.1.10");
    expect(texts(number(["b2", "d"], without)).slice(2)).toEqual(["b2 242.0.1.9", "d 242.0.1.10"]);
  });

  test("names a gateway once, by its index", () => {
    expect(texts(number(["a", "c"]))).toEqual(["a 242.0.1.1", "b 242.0.1.2", "c 242.0.1.9"]);
  });

  test("does not keep a place that is a gateway's, or outside the prefix, or its broadcast address", () => {
    const before = ["242.0.1.2", "242.9.0.9", "242.0.1.255"].map((address, i) => ({
      name: name(`n${i}`),
      address: address as Ip,
    }));
    expect(texts(number(["n0", "n1", "n2"], before)).slice(2)).toEqual([
      "n0 242.0.1.9",
      "n1 242.0.1.10",
      "n2 242.0.1.11",
    ]);
  });

  test("leaves out what there is no room for", () => {
    const all = number(Array.from({ length: 300 }, (_, at) => `n${at}`));
    expect(all).toHaveLength(2 + 246);
    expect(all.at(-1)?.address).toBe("242.0.1.254");
  });

  test("whatever comes and goes, nobody moves and no two share a place", () => {
    const sets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(sets, (walk) => {
        let before: readonly NumberedNode[] = [];
        for (const names of walk) {
          const next = number(
            names.map((n) => `n${n}`),
            before,
          );
          expect(new Set(next.map(({ address }) => address)).size).toBe(next.length);
          const old = new Map(before.map((node) => [node.name, node.address]));
          for (const { name: node, address } of next) expect(old.get(node) ?? address).toBe(address);
          before = next;
        }
      }),
    );
  });
});
