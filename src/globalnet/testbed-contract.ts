import { describe, expect, test } from "vitest";
import { Troubles } from "#life";
import type { Ip } from "#values";
import { createGlobalnet, type Globalnet } from "./globalnet.ts";
import type { Nft } from "./nft.ts";
import { plan } from "./plan.ts";
import type { ServiceEntry } from "./service-entry.ts";
import { emptyState, type GlobalnetState, type GlobalnetWant } from "./state.ts";
import { exampleEntry, examplePlan, exampleServices } from "./testbed-plan.ts";

const SERVICES: readonly ServiceEntry[] = [
  exampleEntry("242.192.0.1 TCP 80", ["10.244.1.1:8080"]),
  exampleEntry("242.192.0.1 UDP 53", ["10.244.1.1:53", "242.2.0.7:53"]),
  exampleEntry("242.192.0.1 UDP 53", ["242.2.0.7:53", "242.3.0.7:53", "10.244.1.1:5353"]),
  exampleEntry("242.192.0.2 SCTP 99", ["242.2.0.1:1*50", "242.3.0.1:1*30", "242.4.0.1:1*20"]),
  exampleEntry("242.192.0.2 SCTP 99", ["242.2.0.1:1*98", "242.3.0.1:1*2"]),
  exampleEntry("242.192.0.3 TCP 443", ["242.2.0.1:1", "242.3.0.1:1"], "client"),
  exampleEntry("242.192.0.3 TCP 443", ["242.2.0.1:1", "242.3.0.1:1", "242.4.0.1:1"], "client"),
  exampleEntry("242.192.0.3 TCP 443", ["242.2.0.1:1*0"]),
];

const PLANS = [
  examplePlan(1),
  examplePlan(1, {
    localLinks: ["cni0", "eth0.12"],
    hostPorts: [{ protocol: "TCP", port: 9100 }],
    daemonPorts: [{ protocol: "UDP", port: 7 }],
    siblings: ["AA:bb:cc:00:11:22"],
    hairpin: ["10.244.1.1" as Ip, "10.244.1.10" as Ip],
  }),
  examplePlan(2, { localLinks: [], tunnels: [] }),
];

/** STATES is every table of some services under every plan. */
const STATES: readonly GlobalnetWant[] = PLANS.flatMap((one) =>
  [[], [0], [0, 1, 3, 5], [1, 4], [2, 3, 6], [0, 2, 4, 7]].map((chosen) => ({
    plan: one,
    services: exampleServices(...chosen.flatMap((i) => SERVICES[i] ?? [])),
  })),
);

/** globalnetContract is what holds over any nftables, real or not. `fresh` gives one with nothing of ours in it. */
export function globalnetContract(fresh: () => Promise<Nft>, steps: number): void {
  async function start(): Promise<{ nft: Nft; globalnet: Globalnet }> {
    const nft = await fresh();
    const conntrack = { forget: async () => ({ ok: true, value: undefined }) as const };
    return { nft, globalnet: createGlobalnet({ nft, conntrack, troubles: new Troubles() }) };
  }

  test("apply(plan()) reaches every state from every other, and a second plan is empty", async () => {
    const { globalnet } = await start();
    let have = value(await globalnet.read());
    for (const want of walk(STATES, steps)) {
      have = value(await globalnet.apply(have, plan(have, want)));
      expect(plan(have, want)).toEqual([]);
      const found = value(await globalnet.read());
      expect(plan(found, want)).toEqual([]);
      expect(bare(found)).toEqual(bare(have));
    }
  });

  test("a plan that changes what sets hold touches no rule and no service", async () => {
    const { globalnet } = await start();
    const services = exampleServices(...SERVICES.slice(0, 1));
    const [first = examplePlan(1), second = examplePlan(1)] = PLANS;
    const have = value(
      await globalnet.apply(value(await globalnet.read()), plan(emptyState, { plan: first, services })),
    );
    const todo = plan(have, { plan: second, services });
    expect(todo.map((step) => (step.kind === "set" ? step.name : step.kind))).toEqual([
      "localif",
      "hostports",
      "daemonports",
      "hairpin",
      "siblings",
    ]);
    expect(bare(value(await globalnet.apply(have, todo)))).toEqual(bare(value(await globalnet.read())));
  });

  test("while services are not known, those of an earlier daemon stay; once they are, all are compared", async () => {
    const { nft, globalnet } = await start();
    const [one = [], two = []] = [SERVICES.slice(0, 2), SERVICES.slice(3, 4)];
    value(await globalnet.reconcile({ plan: examplePlan(1), services: exampleServices(...one, ...two) }));
    globalnet.forget();
    const other = examplePlan(1, { localLinks: ["cni1"] });
    value(await globalnet.reconcile({ plan: other, services: null }));
    expect(value(await globalnet.read())).toMatchObject({ base: { sets: { localif: ['"cni1"'] } } });
    expect(value(await globalnet.read()).entries.size).toBe(3);
    value(await globalnet.reconcile({ plan: other, services: exampleServices(...two) }));
    expect([...value(await globalnet.read()).entries.keys()]).toEqual(["242.192.0.2 SCTP 99"]);
    expect((await nft.list(["-j", "list", "tables"])).ok).toBe(true);
  });

  describe("a machine that somebody else changed", () => {
    const want = { plan: examplePlan(1), services: exampleServices(...SERVICES.slice(0, 2)) };
    const damages: readonly (readonly [string, string])[] = [
      ["a guard without rules", 'delete table ip meridian\ntable ip meridian {\n  comment "0"\n}\n'],
      ["no service table", "delete table ip meridian-services\n"],
      ["a service without a verdict", "delete element ip meridian-services svc { 242.192.0.1 . 17 . 53 }\n"],
      ["a bucket without an endpoint", "delete element ip meridian-services b2 { 242.192.0.1 . 17 . 53 . 1 }\n"],
      [
        "an endpoint of no service",
        "add element ip meridian-services b3 { 242.192.8.8 . 6 . 80 . 1 : 10.0.0.1 . 80 }\n",
      ],
      ["a service of nobody", "add element ip meridian-services svc { 242.192.8.8 . 6 . 80 : goto r3 }\n"],
      ["an old table", 'table ip6 meridian_old {\n  comment "0"\n}\n'],
    ];

    test.each(damages)("is put right: %s", async (_, damage) => {
      const { nft, globalnet } = await start();
      value(await globalnet.reconcile(want));
      const before = value(await globalnet.read());
      value(await nft.run(damage));
      globalnet.forget();
      expect(value(await globalnet.reconcile(want))).toBeGreaterThan(0);
      expect(bare(value(await globalnet.read()))).toEqual(bare(before));
    });

    test("is read again when a transaction fails", async () => {
      const { nft, globalnet } = await start();
      value(await globalnet.reconcile(want));
      value(await nft.run("delete table ip meridian-services\n"));
      const more = { ...want, services: exampleServices(...want.services.values(), ...SERVICES.slice(6, 7)) };
      value(await globalnet.reconcile(more));
      expect(plan(value(await globalnet.read()), more)).toEqual([]);
    });
  });

  test("teardown() removes all tables of ours, of any family, and no other; twice is once", async () => {
    const { nft, globalnet } = await start();
    value(await globalnet.reconcile({ plan: examplePlan(1), services: exampleServices(...SERVICES.slice(0, 2)) }));
    value(await nft.run('table inet meridian_x {\n  comment "0"\n}\ntable ip other {\n  comment "0"\n}\n'));
    value(await globalnet.teardown());
    value(await globalnet.teardown());
    const left = value(await nft.list(["-j", "list", "tables"]));
    expect(left).toContain('"other"');
    expect(left).not.toContain("meridian");
    value(await nft.run("delete table ip other\n"));
  });

  test("counters() has every counter, from zero", async () => {
    const { globalnet } = await start();
    expect((await globalnet.counters()).ok).toBe(false);
    value(await globalnet.reconcile({ plan: examplePlan(1), services: new Map() }));
    const counters = value(await globalnet.counters());
    expect(counters.guard).toEqual({ packets: 0, bytes: 0 });
    expect(Object.keys(counters)).toHaveLength(10);
  });
}

/** walk visits states in an order that is the same each time and looks like chance: a linear congruence. */
function walk<T>(states: readonly T[], steps: number): readonly T[] {
  let x = 7;
  return Array.from({ length: steps }, () => {
    x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    return states[(x >> 8) % states.length] as T;
  });
}

/** bare is a state without what only memory has. */
function bare(state: GlobalnetState): unknown {
  const entries = [...state.entries].map(([key, { chain, buckets, strays }]) => ({ key, chain, buckets, strays }));
  return { ...state, entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

function value<T>(
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: { readonly stderr: string } },
): T {
  if (!result.ok) throw new Error(result.error.stderr);
  return result.value;
}
