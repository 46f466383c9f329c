import { expect } from "vitest";
import { AdminWatch } from "./admin-watch.ts";
import { Herd, type Returned } from "./herd.ts";
import { checkInvariants } from "./invariants.ts";
import type { Scene } from "./scene.ts";

/** Each member of a herd is to be in again within this. */
const BACK_MS = 30_000;
/** Logins that a broker lets in at once, and in a second after that. */
const BURST = 25;
const PER_SECOND = 100;
/** Answers of the admin API while nothing happens, at least: a percentile needs some. */
const QUIET = 50;
/** Times that the herd is lost. */
const TIMES = 3;

export interface HerdFigures {
  readonly backMs: readonly number[];
  /** Times that somebody dialed, for each loss. */
  readonly tries: readonly number[];
  /** The 99th percentile of the admin API's answers while the herd comes back, over that of just before: the median of
   *  all losses, since other work of the machine falls into one or the other. */
  readonly slowdown: number;
}

/** herdReturns has so many members lose the broker and come back all at once, some times over (F14): all are in within
 *  30 s and none sooner than the broker lets them, names are answered throughout, and everything holds afterwards. */
export async function herdReturns(scene: Scene, members: number): Promise<HerdFigures> {
  await using herd = await Herd.joined(scene, members);
  await checkInvariants(scene, 20_000);
  await using names = scene.watch(scene.side("amber"));
  const losses = [];
  for (let time = 0; time < TIMES; time += 1) losses.push(await loss(scene, herd, members));
  for (const { lastMs, firstMs } of losses) {
    expect(lastMs).toBeLessThan(BACK_MS);
    expect(lastMs - firstMs).toBeGreaterThan(((members - BURST) / PER_SECOND) * 900);
  }
  await checkInvariants(scene);
  expect(names.lapses).toEqual([]);
  return {
    backMs: losses.map(({ lastMs }) => lastMs),
    tries: losses.map(({ tries }) => tries),
    slowdown: losses.map(({ slowdown }) => slowdown).sort((a, b) => a - b)[TIMES >> 1] ?? 0,
  };
}

/** One loss, with the same questions asked just before it and during it. */
async function loss({ broker }: Scene, herd: Herd, members: number): Promise<Returned & { readonly slowdown: number }> {
  const before = new AdminWatch(broker);
  await before.asked(Math.max(QUIET, members));
  await before[Symbol.asyncDispose]();
  await using during = new AdminWatch(broker);
  const returned = await herd.lost();
  return { ...returned, slowdown: during.percentile(0.99) / before.percentile(0.99) };
}
