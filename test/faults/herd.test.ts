import { expect, test } from "vitest";
import { herdReturns } from "./herd-returns.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene } from "./scene.ts";

test("F14 a herd of 40 loses the broker and is at its door at once: it is let in step by step, and nobody else notices", async () => {
  await using scene = await Scene.raise(["amber"]);
  await checkInvariants(scene);
  const figures = await herdReturns(scene, 40);
  expect(figures.tries).toEqual([40, 40, 40]);
});
