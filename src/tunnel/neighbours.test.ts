import { expect, test } from "vitest";
import type { Ip } from "#values";
import { parseNeighbours } from "./neighbours.ts";

const [near, asked, far, here, lost] = ["172.31.0.12", "172.31.0.13", "10.9.0.1", "172.31.0.11", "192.0.2.1"] as Ip[];

/** What `ip -4 -j neigh show` printed (iproute2 6.1). */
const TABLE = `[{"dst":"172.31.0.12","dev":"eth0","lladdr":"7a:6b:10:00:00:01","state":["REACHABLE"]},
{"dst":"172.31.0.12","dev":"other","lladdr":"7a:6b:10:00:00:09","state":["STALE"]},
{"dst":"172.31.0.13","dev":"eth0","state":["INCOMPLETE"]}]`;
const way = (dst: string, dev: string, more = ""): string => `[{"dst":"${dst}","dev":"${dev}"${more},"flags":[]}]`;

test("parseNeighbours() tells who is on a link of ours, with the address that the kernel knows on that link", () => {
  const addresses = [near, asked, far, here, lost].map((address) => address ?? ("" as Ip));
  const ways = [
    way("172.31.0.12", "eth0"),
    way("172.31.0.13", "eth0"),
    way("10.9.0.1", "eth0", ',"gateway":"172.31.0.1"'),
    way("172.31.0.11", "lo"),
    "",
  ];
  const found = parseNeighbours(addresses, TABLE, ways);
  expect(found.ok && [...found.value]).toEqual([
    [near, { link: "eth0", mac: "7a:6b:10:00:00:01" }],
    [asked, { link: "eth0", mac: null }],
  ]);
});
