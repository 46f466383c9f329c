import { expect, test } from "vitest";
import { contains, expect as must, parseCidr } from "#values";
import { nodeAddress, nodeRange } from "./cluster.ts";
import { UNDERLAY, UNDERLAY_ADDRESS } from "./underlay.ts";

test("nodeRange() is a /24 of the pod CIDR by the node's number, from 1", () => {
  const pods = must(parseCidr("10.244.0.0/16"));
  expect(nodeRange(pods, 1)).toBe("10.244.1.0/24");
  expect(nodeRange(pods, 255)).toBe("10.244.255.0/24");
});

test("nodeAddress() gives the first node .(10 + index), and no address twice", () => {
  expect(nodeAddress(1, 1)).toBe("172.31.0.11");
  const all = Array.from({ length: 20 }, (_, i) => [1, 2, 3, 4].map((number) => nodeAddress(i + 1, number))).flat();
  expect(new Set(all).size).toBe(80);
  expect(all).not.toContain(UNDERLAY_ADDRESS);
  expect(all.every((address) => contains(UNDERLAY, address))).toBe(true);
});

test("nodeAddress() refuses an index that has no room", () => {
  expect(() => nodeAddress(0, 1)).toThrow("1 to 20");
  expect(() => nodeAddress(21, 1)).toThrow("1 to 20");
});
