import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { answerOf, cacheOf, statusOf } from "../hostile/gateway-witness.ts";
import type { Scene, Side } from "./scene.ts";
import { brokenAt, linesOf, overlapsIn, readStore, type StoreLog } from "./store-log.ts";

/** T_c of N3: so long after the fault is healed everything may still be on its way. */
const CONVERGE_MS = 5000;

/** checkInvariants compares the store's log with every gateway that runs, as sets, within T_c: what is durable (N1),
 *  what is allocated (N2), who knows what (N3), that nothing went backwards (N4), what names mean (N6), and that what
 *  was refused is written down in a whole chain (N7). N5 and the packets of N7 are for scenes with a data plane.
 *  Gives how long it took until everything held. */
export async function checkInvariants(scene: Scene, convergeMs = CONVERGE_MS): Promise<number> {
  const start = performance.now();
  for (;;) {
    const faults = await faultsOf(scene);
    const waited = performance.now() - start;
    if (faults.length === 0) return waited;
    if (waited > convergeMs) expect(faults).toEqual([]);
    await pause(50); // other processes decide when they are done
  }
}

async function faultsOf(scene: Scene): Promise<readonly string[]> {
  const store = readStore(scene.broker.place.data);
  const up = scene.sides.filter((side) => side.up);
  const sides = await Promise.all(up.map((side) => faultsOfSide(scene, side, store)));
  return [...faultsOfStore(scene, store), ...sides.flat()];
}

function faultsOfStore({ sides, seen, supernet }: Scene, store: StoreLog): readonly string[] {
  const exported = store.records.filter(({ key }) => key.startsWith("export/")).map(({ key }) => key);
  const wanted = sides.flatMap(({ cluster, exports }) => [...exports].map((name) => `export/${cluster}/shop/${name}`));
  const chain = brokenAt(store);
  return [
    ...difference("N1 the store", wanted, exported),
    ...overlapsIn(store, supernet).map((line) => `N2 ${line}`),
    ...grown(seen, "the store", store.revision).map((line) => `N1 ${line}`),
    ...allocationsMoved(seen, store).map((line) => `N2 ${line}`),
    ...(chain === undefined ? [] : [`N7 the audit chain breaks at ${chain}`]),
  ];
}

async function faultsOfSide(scene: Scene, { place, cluster }: Side, store: StoreLog): Promise<readonly string[]> {
  const names = scene.wanted();
  const { imports, revision } = await statusOf(place);
  const answers = await Promise.all(
    names.map(async (name) => [name, await answerOf(place, `${name}.shop.svc.clusterset.local`)] as const),
  );
  const granted = new Map(services(store));
  const wrong = answers.filter(([name, found]) => found.join() !== granted.get(`shop/${name}`));
  return [
    ...difference(
      `N3 imports of ${cluster}`,
      names,
      imports.map(({ name }) => name),
    ),
    ...difference(`N3 records of ${cluster}`, linesOf(store.records), linesOf(cacheOf(place.data))),
    ...wrong.map(([name, found]) => `N6 ${name} at ${cluster} is ${found}, granted ${granted.get(`shop/${name}`)}`),
    ...grown(scene.seen, cluster, revision ?? 0).map((line) => `N4 ${line}`),
  ];
}

/** The service addresses that are granted, by namespace and name. */
function services({ records }: StoreLog): readonly (readonly [string, string])[] {
  const grants = records.filter(({ key }) => key.startsWith("grant/")).sort((a, b) => a.order.seq - b.order.seq);
  return grants.flatMap(({ body }) => {
    const { entries } = JSON.parse(body) as { entries: readonly Record<string, string>[] };
    return entries.flatMap(({ kind, namespace, name, address }) =>
      kind === "service" ? [[`${namespace}/${name}`, `${address}`] as const] : [],
    );
  });
}

/** difference says what only one of two sets has. */
function difference(what: string, wanted: readonly string[], found: readonly string[]): readonly string[] {
  const [a, b] = [new Set(wanted), new Set(found)];
  return [
    ...[...a].filter((item) => !b.has(item)).map((item) => `${what} lacks ${item}`),
    ...[...b].filter((item) => !a.has(item)).map((item) => `${what} has ${item} too much`),
  ];
}

function grown(seen: Map<string, number>, who: string, now: number): readonly string[] {
  const before = seen.get(who) ?? 0;
  if (now < before) return [`${who} went back from ${before} to ${now}`];
  seen.set(who, now);
  return [];
}

/** An allocation that was seen live stays its owner's: nothing in these scenes releases one. */
function allocationsMoved(seen: Map<string, number>, { allocations }: StoreLog): readonly string[] {
  const faults: string[] = [];
  const now = new Set(
    allocations.filter(({ state }) => state === "live").map(({ prefix, uid }) => `live ${prefix} ${uid}`),
  );
  for (const key of seen.keys())
    if (key.startsWith("live ") && !/ null$/.test(key) && !now.has(key)) faults.push(`${key} is gone`);
  for (const key of now) seen.set(key, 1);
  return faults;
}
