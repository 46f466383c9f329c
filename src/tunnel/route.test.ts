import { describe, expect, test } from "vitest";
import { expect as take } from "#values";
import { parseRoutes, parseRows, prefixOf, type Route, routeKey, routeText } from "./route.ts";
import { cidr, ip } from "./testbed-plan.ts";

/** What `ip -4 -j route show table all proto 77` printed (iproute2 6.1), with the route each row is. */
const ROWS: readonly (readonly [string, Route, string])[] = [
  [
    '{"dst":"242.192.0.0/10","dev":"lo","table":"7701","scope":"link","prefsrc":"172.31.1.1","flags":[]}',
    { type: "unicast", dst: cidr("242.192.0.0/10"), dev: "lo", src: ip("172.31.1.1"), metric: 0, table: 7701 },
    "242.192.0.0/10 dev lo src 172.31.1.1 table 7701 proto 77",
  ],
  [
    '{"dst":"242.0.2.1","dev":"mrd0","table":"7702","scope":"link","prefsrc":"242.0.1.1","flags":["linkdown"]}',
    { type: "unicast", dst: cidr("242.0.2.1/32"), dev: "mrd0", src: ip("242.0.1.1"), metric: 0, table: 7702 },
    "242.0.2.1/32 dev mrd0 src 242.0.1.1 table 7702 proto 77",
  ],
  [
    '{"type":"unreachable","dst":"242.0.0.0/8","metric":4278198272,"flags":[]}',
    { type: "unreachable", dst: cidr("242.0.0.0/8"), metric: 4278198272, table: 254 },
    "unreachable 242.0.0.0/8 metric 4278198272 proto 77",
  ],
  [
    '{"dst":"242.2.0.0/16","nhid":1291845633,"prefsrc":"172.31.1.1","flags":[],"nexthops":[{"dev":"mrd0","weight":1,"flags":[]},{"dev":"mrd1","weight":1,"flags":[]}]}',
    { type: "unicast", dst: cidr("242.2.0.0/16"), nhid: 1291845633, src: ip("172.31.1.1"), metric: 0, table: 254 },
    "242.2.0.0/16 nhid 1291845633 src 172.31.1.1 proto 77",
  ],
  [
    '{"dst":"242.3.0.0/16","prefsrc":"172.31.1.1","metric":500,"flags":[],"nexthops":[{"gateway":"172.31.1.3","dev":"v0","weight":1,"flags":[]},{"gateway":"172.31.1.2","dev":"v0","weight":1,"flags":[]}]}',
    {
      type: "unicast",
      dst: cidr("242.3.0.0/16"),
      via: [ip("172.31.1.2"), ip("172.31.1.3")],
      src: ip("172.31.1.1"),
      metric: 500,
      table: 254,
    },
    "242.3.0.0/16 src 172.31.1.1 metric 500 proto 77 nexthop via 172.31.1.2 nexthop via 172.31.1.3",
  ],
  [
    '{"dst":"242.0.1.2","gateway":"172.31.1.2","dev":"v0","flags":[]}',
    { type: "unicast", dst: cidr("242.0.1.2/32"), via: [ip("172.31.1.2")], metric: 0, table: 254 },
    "242.0.1.2/32 via 172.31.1.2 proto 77",
  ],
  [
    '{"type":"local","dst":"242.0.1.1","dev":"lo","table":"local","scope":"host","flags":[]}',
    { type: "local", dst: cidr("242.0.1.1/32"), dev: "lo", metric: 0, table: 255 },
    "local 242.0.1.1/32 dev lo table 255 proto 77",
  ],
];

describe("parseRoutes()", () => {
  test.each(ROWS)("reads %s", (json, route) => {
    expect(take(parseRoutes(`[${json}]`))).toEqual([route]);
  });

  test("reads no output at all as no routes", () => {
    expect(parseRoutes("")).toEqual({ ok: true, value: [] });
    expect(parseRoutes("[]\n")).toEqual({ ok: true, value: [] });
  });
});

describe("routeText()", () => {
  test.each(ROWS)("writes the route of %s as `ip route add` takes it", (_json, route, text) => {
    expect(routeText(route)).toBe(text);
  });
});

test("routeKey() is the same for two routes that the kernel cannot hold both", () => {
  const [a, b] = [ROWS[3]?.[1], ROWS[4]?.[1]];
  if (a === undefined || b === undefined) throw new Error("rows");
  expect(routeKey({ ...b, dst: a.dst, metric: 0 })).toBe(routeKey(a));
  expect(routeKey(b)).not.toBe(routeKey(a));
});

test("parseRows() refuses what is no JSON list", () => {
  expect(parseRows('Object "x" is unknown').ok).toBe(false);
  expect(parseRows("{}").ok).toBe(false);
});

test("prefixOf() gives a destination its length", () => {
  expect(["default", "10.0.0.1", "10.0.0.0/8"].map(prefixOf)).toEqual(["0.0.0.0/0", "10.0.0.1/32", "10.0.0.0/8"]);
});
