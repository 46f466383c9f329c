import { expect, test } from "vitest";
import { GROUP_IDS, indexOf, interfaceName, MAX_INTERFACES, nexthopIds } from "./ours.ts";

const INDICES = [...Array(MAX_INTERFACES).keys()];

test("indexOf() is the inverse of interfaceName()", () => {
  for (const index of INDICES) expect(indexOf(interfaceName(index))).toBe(index);
});

test.each(["mrd8", "mrd", "mrd00", "mrd-try", "xmrd0", "eth0", ""])("indexOf() does not take %j for ours", (name) => {
  expect(indexOf(name)).toBeUndefined();
});

test.each([-1, 8, 0.5, Number.NaN])("interfaceName() refuses index %d", (index) => {
  expect(() => interfaceName(index)).toThrow(RangeError);
});

test("nexthopIds() are distinct, and above the groups' ids", () => {
  const ids = INDICES.flatMap(nexthopIds);
  expect(new Set(ids).size).toBe(2 * MAX_INTERFACES);
  for (const id of ids) expect(id).toBeGreaterThanOrEqual(GROUP_IDS.first + GROUP_IDS.count);
});
