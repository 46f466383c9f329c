import { expect, test } from "vitest";
import type { Ip } from "#values";
import { parseNeighbours } from "./neighbours.ts";

const [near, asked] = ["172.31.0.12" as Ip, "172.31.0.13" as Ip];

/** What `ip -4 -j neigh show` printed (iproute2 6.1). */
const TABLE = `[{"dst":"172.31.0.12","dev":"eth0","lladdr":"7a:6b:10:00:00:01","state":["REACHABLE"]},
{"dst":"172.31.0.12","dev":"other","lladdr":"7a:6b:10:00:00:09","state":["STALE"]},
{"dst":"172.31.0.13","dev":"eth0","state":["INCOMPLETE"]}]`;
/** What `ip -4 -j route show table all` printed there. */
const ROUTES = `[{"dst":"default","gateway":"172.31.0.1","dev":"eth0","flags":[]},
{"dst":"172.31.0.0/16","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"172.31.0.11","flags":[]},
{"dst":"172.31.9.0/24","gateway":"172.31.0.1","dev":"eth0","flags":[]},
{"type":"unreachable","dst":"242.0.0.0/8","protocol":"77","metric":4278198272,"flags":[]},
{"dst":"198.51.100.0/24","dev":"mrd0","table":"7702","flags":[]},
{"type":"local","dst":"172.31.0.11","dev":"eth0","table":"local","protocol":"kernel","scope":"host","flags":[]},
{"type":"broadcast","dst":"172.31.255.255","dev":"eth0","table":"local","protocol":"kernel","scope":"link","flags":[]}]`;

test("parseNeighbours() tells who is on a link of ours, with the address that the kernel knows on that link", () => {
  const found = parseNeighbours([near, asked], TABLE, ROUTES);
  expect(found.ok && [...found.value]).toEqual([
    [near, { link: "eth0", mac: "7a:6b:10:00:00:01" }],
    [asked, { link: "eth0", mac: null }],
  ]);
});

test.each([
  ["behind the default route", "10.9.0.1"],
  ["behind a router, by a longer prefix than the link's", "172.31.9.7"],
  ["here", "172.31.0.11"],
  ["everybody's", "172.31.255.255"],
  ["unreachable", "242.7.7.7"],
  ["on a link by another table alone", "198.51.100.7"],
])("parseNeighbours() leaves out what is %s", (_, address) => {
  const found = parseNeighbours([address as Ip], TABLE, ROUTES);
  expect(found.ok && [...found.value]).toEqual([]);
});

test("parseNeighbours() leaves out what there is no route to", () => {
  const found = parseNeighbours([near], TABLE, "[]");
  expect(found.ok && [...found.value]).toEqual([]);
});
