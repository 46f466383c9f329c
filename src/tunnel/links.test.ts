import { expect, test } from "vitest";
import { parseLinks } from "./links.ts";

test("parseLinks() reads our interfaces with their IPv4 addresses", () => {
  const text = `[{"ifname":"eth0","flags":["UP"],"mtu":1500,"addr_info":[]},
    {"ifname":"mrd0","flags":["POINTOPOINT","NOARP","UP","LOWER_UP"],"mtu":1440,"addr_info":[
      {"family":"inet","local":"242.0.1.1","prefixlen":32,"scope":"global","label":"mrd0"},
      {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},
    {"ifname":"mrd1","flags":["POINTOPOINT","NOARP"],"mtu":1420,"addr_info":[]},
    {"ifname":"mrd8","flags":["UP"],"mtu":1420,"addr_info":[]}]`;
  expect(parseLinks(text)).toEqual({
    ok: true,
    value: new Map([
      [0, { up: true, mtu: 1440, addresses: ["242.0.1.1/32"] }],
      [1, { up: false, mtu: 1420, addresses: [] }],
    ]),
  });
});

test("parseLinks() passes on what is no JSON", () => {
  expect(parseLinks("oops").ok).toBe(false);
});
