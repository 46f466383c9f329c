import { expect, test } from "vitest";
import { peerState } from "./peer-state.ts";

const GOOD = { generation: 1, epoch: 2, seq: 3, headHash: "0123456789abcdef0123456789abcdef" };

test("peerState() shortens a full SHA-256 to the sixteen octets that a probe carries", () => {
  expect(peerState({ ...GOOD, headHash: `${GOOD.headHash.toUpperCase()}${"f".repeat(32)}` })).toEqual(GOOD);
});

test.each([
  [{ generation: -1 }, "generation must be a whole number from 0 on: current value is -1"],
  [{ epoch: 1.5 }, "epoch must be a whole number from 0 on: current value is 1.5"],
  [{ seq: 2 ** 53 }, "seq must be a whole number from 0 on"],
  [{ headHash: "xyz" }, "headHash must be at least 32 hexadecimal digits: current value is xyz"],
])("peerState() refuses %j", (change, message) => {
  expect(() => peerState({ ...GOOD, ...change })).toThrow(message);
});
