import { expect, test } from "vitest";
import { isBfd } from "./bfd.ts";
import { isVerdict } from "./probe-pair.ts";

const LINE =
  "2026/11/23 12:20:39.686 BFD: [SEY1D-NT8EQ] state-change: [mhop:no peer:192.0.2.2 local:192.0.2.1 vrf:default]";

test("isBfd() reads the new state of a session, not the old one", () => {
  expect(isBfd(`${LINE} up -> down reason:control-expired`, "down")).toBe(true);
  expect(isBfd(`${LINE} up -> down reason:control-expired`, "up")).toBe(false);
  expect(isBfd(`${LINE} init -> up`, "up")).toBe(true);
  expect(isBfd("[PSB4R-8T1TJ] session-new: mhop:no peer:192.0.2.2", "up")).toBe(false);
});

test("isVerdict() tells a verdict from other lines, and up from down", () => {
  const line = JSON.stringify({ kind: "verdict", id: "peer/198.18.2.1", up: false, at: 1 });
  expect(isVerdict(line, false)).toBe(true);
  expect(isVerdict(line, true)).toBe(false);
  expect(isVerdict('{"kind":"trouble","up":true}', true)).toBe(false);
});
