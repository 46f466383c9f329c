import { expect, test } from "vitest";
import { parseUnderlay, tunnelMtu } from "./mtu.ts";
import { ip } from "./testbed-plan.ts";

test.each([
  [1500, 4, 1440],
  [1500, 6, 1420],
  [9000, 4, 8940],
  [1280, 6, 1200],
  [65536, 4, 65475],
] as const)("tunnelMtu() of a link of %d by IPv%d is %d", (link, family, mtu) => {
  expect(tunnelMtu(link, family)).toBe(mtu);
});

test.each([0, 575, 1500.5, Number.NaN])("tunnelMtu() refuses a link of %d", (link) => {
  expect(() => tunnelMtu(link, 4)).toThrow(RangeError);
});

const LINKS = '[{"ifname":"lo","mtu":65536},{"ifname":"eth0","mtu":1500}]';

test("parseUnderlay() takes link, MTU and source of the way", () => {
  const route = '[{"dst":"9.9.9.9","gateway":"172.31.1.9","dev":"eth0","prefsrc":"172.31.1.1","flags":[],"cache":[]}]';
  const underlay = { link: "eth0", mtu: 1500, source: "172.31.1.1" };
  expect(parseUnderlay(ip("9.9.9.9"), route, LINKS)).toEqual({ ok: true, value: underlay });
});

test("parseUnderlay() prefers the route's own MTU", () => {
  const route = '[{"dst":"9.9.9.9","dev":"eth0","metrics":[{"mtu":1400}]}]';
  expect(parseUnderlay(ip("9.9.9.9"), route, LINKS)).toMatchObject({ value: { mtu: 1400, source: null } });
});

test("parseUnderlay() says where there is no way", () => {
  expect(parseUnderlay(ip("9.9.9.9"), "[]", LINKS)).toEqual({ ok: false, error: "no route to 9.9.9.9" });
});
