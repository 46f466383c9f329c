import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { diagnose } from "./diagnose.ts";
import { TestMember } from "./testbed.ts";
import { type Composed, composed } from "./testbed-gateway.ts";

const birch = new TestMember("birch", 2);
const cedar = new TestMember("cedar", 3);

/** The checks of pairs' modes, for a gateway with or without --globalnet off. */
async function modes(globalnet: boolean): Promise<readonly string[]> {
  const made: Composed = composed({ globalnet });
  await made.hears(...made.amber.offering("10.1.0.0/16"), ...birch.offering("10.2.0.0/16"));
  await made.hears(...cedar.joined(), cedar.gateway());
  const checks = await diagnose(made.gateway);
  made.gateway.cache.close();
  rmSync(made.dir, { recursive: true });
  return checks.flatMap(({ check, verdict, reason }) =>
    check.startsWith("mode ") ? [`${check} ${verdict}: ${reason}`] : [],
  );
}

test("diagnose() has the mode of each pair where direct mode was asked for, and why it is not", async () => {
  expect(await modes(false)).toEqual([
    "mode birch pass: direct: its pods by their own addresses",
    "mode cedar warn: globalnet: cedar has --globalnet on",
  ]);
  expect(await modes(true)).toEqual([]);
});
