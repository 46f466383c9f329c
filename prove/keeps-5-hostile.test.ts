import { expect, test } from "vitest";
import { judge } from "./keeps-5-hostile.ts";

const good = { sent: 100, firstMiB: 100, lastMiB: 104.9, alive: true };

test("judge() holds both directions to 5 MiB, and to being alive", () => {
  expect(judge({ client: good, broker: good })).toMatchObject({
    measured: "client: 100 frames, alive, RSS +4.9 MiB; broker: 100 frames, alive, RSS +4.9 MiB",
    holds: true,
  });
  expect(judge({ client: good, broker: { ...good, lastMiB: 105.1 } }).holds).toBe(false);
  expect(judge({ client: { ...good, alive: false }, broker: good }).holds).toBe(false);
});
