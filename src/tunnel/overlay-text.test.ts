import { expect, test } from "vitest";
import { parseOverlay } from "./overlay-text.ts";

/** What `ip -d -j addr show`, `ip -4 -j neigh show` and `bridge -j fdb show` printed of a device (iproute2 6.1). */
const LINK = `[{"ifname":"meridian-vx","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1450,
"address":"0a:4d:ac:1f:00:05","linkinfo":{"info_kind":"vxlan","info_data":{"id":77,"local":"172.31.0.5","port":7722}},
"addr_info":[{"family":"inet","local":"242.0.1.9","prefixlen":32},{"family":"inet6","local":"fe80::1","prefixlen":64}]}]`;
const NEIGHBOURS = `[{"dst":"242.0.1.1","lladdr":"0a:4d:ac:1f:00:01","state":["PERMANENT"]},
{"dst":"242.0.1.2","lladdr":"0a:4d:ac:1f:00:02","state":["STALE"]}]`;
const FORWARDS = `[{"mac":"0a:4d:ac:1f:00:01","dst":"172.31.0.9","flags":["self"],"state":"permanent"},
{"mac":"33:33:00:00:00:01","flags":["self"],"state":"permanent"}]`;

test("parseOverlay() reads device, neighbours that were written down, and where they are", () => {
  expect(parseOverlay(LINK, NEIGHBOURS, FORWARDS)).toEqual({
    ok: true,
    value: {
      ...{ local: "172.31.0.5", mtu: 1450, up: true, addresses: ["242.0.1.9/32"] },
      neighbours: new Map([["242.0.1.1", "0a:4d:ac:1f:00:01"]]),
      forwards: new Map([["0a:4d:ac:1f:00:01", "172.31.0.9"]]),
    },
  });
});

test("parseOverlay() finds none where there is none, and refuses what is no JSON", () => {
  expect(parseOverlay('[{"ifname":"mrd0"}]', "", "")).toEqual({ ok: true, value: null });
  expect(parseOverlay(LINK, "Cannot find device", "").ok).toBe(false);
});
