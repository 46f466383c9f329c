import { expect, test } from "vitest";
import { chooseDataPlane, hasNetAdmin } from "./data-plane.ts";

test("chooseDataPlane() in mode none needs nothing", async () => {
  expect(await chooseDataPlane({ mode: "none", wireguardGo: null, path: "" })).toEqual({
    ok: true,
    value: { mode: "none", implementation: "none", version: null },
  });
});

test("chooseDataPlane() names a missing tool and the command that brings it", async () => {
  expect(await chooseDataPlane({ mode: "auto", wireguardGo: null, path: "/nowhere" })).toEqual({
    ok: false,
    error: "missing: ip; run: apt-get install -y iproute2 wireguard-tools",
  });
});

test.each([
  ["CapEff:\t000001ffffffffff", true],
  ["Name:\tnode\nCapEff:\t0000000000001000\nCapBnd:\t0", true],
  ["CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff", false],
  ["CapEff:\t00000000a80425fb", false], // a container's default set
  ["", false],
])("hasNetAdmin() of %j is %s", (status, has) => {
  expect(hasNetAdmin(status)).toBe(has);
});
