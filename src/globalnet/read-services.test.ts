import { describe, expect, test } from "vitest";
import { readBase } from "./read-base.ts";
import { readServices } from "./read-services.ts";

const LISTING = `table ip meridian-services {
	comment "cf90"
	map svc {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 242.192.0.1 . 6 . 80 : goto r1, 242.192.0.1 . udp . 53 : goto r2,
			     242.192.0.9 . 6 . 1 : goto r3 }
	}

	map b1 {
		typeof ip daddr . meta l4proto . th dport : ip daddr . th dport
		elements = { 242.192.0.1 . 6 . 80 : 10.244.1.10 . 8080 }
	}

	map b2 {
		typeof ip daddr . meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport
		elements = { 242.192.0.1 . 17 . 53 . 1 : 242.3.3.7 . 53,
			     242.192.0.1 . 17 . 53 . 0 : 242.2.3.7 . 53,
			     242.192.0.7 . 132 . 53 . 0 : 242.2.3.7 . 53 }
	}

	chain r1 {
		dnat ip to ip daddr . meta l4proto . th dport map @b1
	}

	chain dnat-in {
		type nat hook prerouting priority -110; policy accept;
		ip daddr 242.192.0.0/10 ip daddr . meta l4proto . th dport vmap @svc
	}
}
`;

describe("readServices()", () => {
  test("reads digest, number of rules and every service, protocols by number or name", async () => {
    const { shape, entries } = await readServices(LISTING);
    expect(shape).toEqual({ digest: "cf90", rules: 2 });
    expect(entries.get("242.192.0.1 TCP 80")).toEqual({
      entry: undefined,
      chain: "r1",
      buckets: ["10.244.1.10 . 8080"],
      strays: [],
    });
    expect(entries.get("242.192.0.1 UDP 53")?.buckets).toEqual(["242.2.3.7 . 53", "242.3.3.7 . 53"]);
  });

  test("keeps a verdict without endpoints as holes, and an endpoint without a verdict as a stray", async () => {
    const { entries } = await readServices(LISTING);
    expect(entries.get("242.192.0.9 TCP 1")?.buckets).toEqual([undefined, undefined, undefined]);
    expect(entries.get("242.192.0.7 SCTP 53")).toMatchObject({ chain: undefined, buckets: [], strays: [[2, 0]] });
  });

  test("finds nothing in a listing of something else", async () => {
    expect(await readServices("table ip other {\n}\n")).toEqual({
      shape: { digest: "", rules: 0 },
      entries: new Map(),
    });
  });

  test("stops when its signal aborts", async () => {
    const many = LISTING.repeat(20_000);
    await expect(readServices(many, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });
});

describe("readBase()", () => {
  const listing = `table ip meridian {
	comment "f41b"
	counter guard {
		packets 0 bytes 0
	}

	set localif {
		typeof fib daddr oifname
		elements = { "eth0", "cni0" }
	}

	set hairpin {
		type ipv4_addr . ipv4_addr
		elements = { 10.244.1.10 . 10.244.1.10,
			     10.244.1.9 . 10.244.1.9 }
	}

	chain guard {
		type filter hook prerouting priority -360; policy accept;
		iifname != "mrd*" accept
		ip saddr != { 242.0.1.0/24, 242.1.0.0/16 } accept
		counter name "guard" drop
	}
}
`;

  test("reads the digest, counts rules, and sorts what sets hold", () => {
    expect(readBase(listing)).toEqual({
      digest: "f41b",
      rules: 3,
      sets: {
        localif: ['"cni0"', '"eth0"'],
        hostports: [],
        daemonports: [],
        hairpin: ["10.244.1.10 . 10.244.1.10", "10.244.1.9 . 10.244.1.9"],
        siblings: [],
      },
    });
  });

  test("a table without our comment has no digest", () => {
    expect(readBase("table ip meridian {\n}\n")).toMatchObject({ digest: "", rules: 0 });
  });
});
