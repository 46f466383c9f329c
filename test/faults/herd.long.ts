import { expect, test } from "vitest";
import { herdReturns } from "./herd-returns.ts";
import { checkInvariants } from "./invariants.ts";
import { Scene } from "./scene.ts";

/** 500 members need more blocks of nodes than the supernet has that is the default. */
const SUPERNET = "240.0.0.0/6";

test("F14 a herd of 500 loses the broker and is at its door at once: all are in within 30 s, and who asks its API waits at most twice as long", async () => {
  await using scene = await Scene.raise(["amber"], ["--supernet", SUPERNET]);
  await checkInvariants(scene);
  const { slowdown, backMs } = await herdReturns(scene, 500);
  process.stdout.write(
    `500 were back after ${Math.max(...backMs).toFixed(0)} ms, the API ${slowdown.toFixed(2)} times as slow\n`,
  );
  expect(slowdown).toBeLessThan(2);
});
