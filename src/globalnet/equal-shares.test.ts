import { expect, test } from "vitest";
import type { Ip } from "#values";
import { equalShares } from "./equal-shares.ts";

const of = (member: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({ member, address: `242.2.0.${at}` as Ip, port: 80 }));
const weights = (...members: readonly (readonly [string, number])[]) =>
  equalShares(members.flatMap(([member, count]) => of(member, count))).map(({ weight }) => weight);

test.each<[string, readonly (readonly [string, number])[], readonly number[]]>([
  ["nobody", [], []],
  ["one member: its endpoints alike", [["birch", 3]], [1, 1, 1]],
  [
    "members of as many endpoints: all alike",
    [
      ["birch", 1],
      ["cedar", 1],
    ],
    [1, 1],
  ],
  [
    "members of different numbers: each as much as the other",
    [
      ["birch", 2],
      ["cedar", 1],
    ],
    [0.5, 0.5, 1],
  ],
])("equalShares() of %s", (_, members, wanted) => {
  expect(weights(...members)).toEqual(wanted);
});
