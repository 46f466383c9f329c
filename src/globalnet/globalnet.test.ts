import { expect, test } from "vitest";
import { type CommandFault, Troubles } from "#life";
import { err, ok } from "#values";
import type { Conntrack, Flow } from "./conntrack.ts";
import { FakeNft } from "./fake-nft.ts";
import { createGlobalnet } from "./globalnet.ts";
import { plan } from "./plan.ts";
import { globalnetContract } from "./testbed-contract.ts";
import { exampleEntry, examplePlan, exampleServices, manyServices } from "./testbed-plan.ts";

globalnetContract(async () => new FakeNft(), 200);

const P = examplePlan(1);

function over(conntrack: Conntrack) {
  const nft = new FakeNft();
  const troubles = new Troubles();
  return { nft, troubles, globalnet: createGlobalnet({ nft, conntrack, troubles }) };
}

function noted(flows: Flow[]): Conntrack {
  return {
    async forget(flow) {
      flows.push(flow);
      return ok(undefined);
    },
  };
}

test("reconcile() applies nothing when nothing changed", async () => {
  const { nft, globalnet } = over(noted([]));
  const want = { plan: P, services: manyServices(10, 3) };
  expect(await globalnet.reconcile(want)).toEqual(ok(12));
  const before = nft.transactions;
  expect(await globalnet.reconcile(want)).toEqual(ok(0));
  expect(nft.transactions).toBe(before);
});

test("guard() makes the base table where there is none, and leaves one that is there to reconcile()", async () => {
  const { nft, globalnet } = over(noted([]));
  expect(await globalnet.guard(P)).toEqual(ok(undefined));
  const read = async () => {
    const state = await globalnet.read();
    if (!state.ok) throw new Error(state.error.argv.join(" "));
    return state.value;
  };
  expect((await read()).base?.sets.localif).toEqual(['"cni0"']);
  const before = nft.transactions;
  await globalnet.guard(P);
  globalnet.forget();
  await globalnet.guard({ ...P, localLinks: ["cni1"] });
  expect(nft.transactions).toBe(before);
  expect(await globalnet.reconcile({ plan: P, services: manyServices(10, 3) })).toEqual(ok(11));
  await globalnet.teardown();
  await globalnet.guard(P);
  expect(await read()).toMatchObject({ base: {}, services: undefined });
});

test("reconcile() of equal entries in new objects is nothing, also after reading the machine", async () => {
  const { globalnet } = over(noted([]));
  await globalnet.reconcile({ plan: P, services: manyServices(10, 3) });
  expect(await globalnet.reconcile({ plan: P, services: manyServices(10, 3) })).toEqual(ok(0));
  globalnet.forget();
  expect(await globalnet.reconcile({ plan: P, services: manyServices(10, 3) })).toEqual(ok(0));
});

test("reconcile() looks only at what is said to have changed, once it knows the machine", async () => {
  const { globalnet } = over(noted([]));
  const before = new Map(manyServices(10, 3));
  await globalnet.reconcile({ plan: P, services: before, changed: new Set() }); // the first looks at all
  const [first = "", second = "", third = ""] = before.keys();
  const services = new Map(manyServices(10, 2));
  services.delete(third);
  expect(await globalnet.reconcile({ plan: P, services, changed: new Set([first, third]) })).toEqual(ok(2));
  expect(await globalnet.reconcile({ plan: P, services, changed: new Set([first, second]) })).toEqual(ok(1));
  expect(await globalnet.reconcile({ plan: P, services })).toEqual(ok(7));
});

test("reconcile() looks at all again after a fault, whatever is said to have changed", async () => {
  const { nft, globalnet } = over(noted([]));
  await globalnet.reconcile({ plan: P, services: manyServices(10, 3) });
  const services = manyServices(10, 2);
  nft.failWhen = () => true;
  expect((await globalnet.reconcile({ plan: P, services, changed: new Set(services.keys()) })).ok).toBe(false);
  nft.failWhen = () => false;
  expect(await globalnet.reconcile({ plan: P, services, changed: new Set() })).toEqual(ok(10));
});

test("reconcile() gives the fault of a machine that refuses twice, and recovers when it no longer does", async () => {
  const { nft, globalnet } = over(noted([]));
  nft.failWhen = (text) => text.includes("add element");
  const want = { plan: P, services: manyServices(10, 1) };
  const failed = await globalnet.reconcile(want);
  expect(failed.ok ? "" : failed.error.stderr).toContain("told to fail");
  nft.failWhen = () => false;
  expect(await globalnet.reconcile(want)).toEqual(ok(10));
});

test("apply() stops at the first transaction that fails, and the machine can be read and finished", async () => {
  const { nft, globalnet } = over(noted([]));
  const want = { plan: P, services: manyServices(3000, 1) };
  nft.failWhen = () => nft.transactions === 2;
  const start = await globalnet.read();
  const failed = await globalnet.apply(
    start.ok ? start.value : neverState(),
    plan(start.ok ? start.value : neverState(), want),
  );
  expect(failed.ok).toBe(false);
  nft.failWhen = () => false;
  const found = await globalnet.read();
  const entries = found.ok ? found.value.entries.size : 0;
  expect(entries).toBeGreaterThan(0);
  expect(await globalnet.reconcile(want)).toEqual(ok(3000 - entries));
});

test("apply() removes the connections of UDP endpoints that went, and of no others", async () => {
  const flows: Flow[] = [];
  const { globalnet } = over(noted(flows));
  const udp = exampleEntry("242.192.0.1 UDP 53", ["242.2.0.1:53", "242.3.0.1:53"]);
  const tcp = exampleEntry("242.192.0.1 TCP 53", ["242.2.0.1:53", "242.3.0.1:53"]);
  await globalnet.reconcile({ plan: P, services: exampleServices(udp, tcp) });
  const fewer = (entry: typeof udp) => ({ ...entry, backends: entry.backends.slice(0, 1) });
  await globalnet.reconcile({ plan: P, services: exampleServices(fewer(udp), fewer(tcp)) });
  const service = { address: "242.192.0.1", port: 53 };
  expect(flows).toEqual([{ service, endpoint: { address: "242.3.0.1", port: 53 } }]);
  await globalnet.reconcile({ plan: P, services: new Map() });
  expect(flows.slice(1)).toEqual([{ service, endpoint: { address: "242.2.0.1", port: 53 } }]);
});

test("a missing conntrack is a trouble, not a failure, and ends when it is there", async () => {
  const fault: CommandFault = { kind: "missing", argv: ["conntrack"], code: null, stderr: "" };
  let there = false;
  const { globalnet, troubles } = over({ forget: async () => (there ? ok(undefined) : err(fault)) });
  const udp = exampleEntry("242.192.0.1 UDP 53", ["242.2.0.1:53"]);
  const swapUdp = async (): Promise<void> => {
    await globalnet.reconcile({ plan: P, services: exampleServices(udp) });
    expect(await globalnet.reconcile({ plan: P, services: new Map() })).toEqual(ok(1));
  };
  await swapUdp();
  expect(troubles.list()[0]?.detail).toContain("conntrack is not installed");
  there = true;
  await swapUdp();
  expect(troubles.list()).toEqual([]);
});

function neverState(): never {
  throw new Error("the fake can always be read");
}
