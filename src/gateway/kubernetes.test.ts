import { describe, expect, test } from "vitest";
import { isWriter } from "./kubernetes.ts";
import type { Gateway } from "./state.ts";

interface Case {
  readonly epoch?: number | null;
  readonly state?: string;
  readonly synced?: boolean;
  /** Names of the member's gateways, in the order of their indices; ours is `b`. */
  readonly names?: readonly string[];
  readonly up?: readonly string[];
}

function gateway({ epoch = null, state = "dialing", synced = true, names = ["b"], up = [] }: Case): Gateway {
  const gateways = new Map(names.map((name, index) => [name, { body: { name, index } }]));
  const parts = {
    options: { cluster: "amber", name: "b" },
    speaker: { epoch },
    session: { state },
    follower: { synced, catalogue: { members: new Map([["amber", { gateways }]]) } },
    prober: { isUp: (id: string) => up.includes(id.replace("amber/", "")) },
  };
  return parts as unknown as Gateway;
}

describe("isWriter()", () => {
  test.each<[string, Case, boolean]>([
    ["who speaks for the member", { epoch: 3, state: "live" }, true],
    ["who speaks, the broker away", { epoch: 3 }, true],
    ["not who waits for the epoch while the broker is there", { state: "live" }, false],
    ["the only gateway, the broker away", {}, true],
    ["not who knows no catalogue yet", { synced: false }, false],
    ["not who has a living sibling of a lower index", { names: ["a", "b"], up: ["a"] }, false],
    ["who has a dead sibling of a lower index", { names: ["a", "b"] }, true],
    ["who has a living sibling of a higher index", { names: ["b", "c"], up: ["c"] }, true],
    ["not who was never announced", { names: [] }, false],
  ])("%s", (_, given, writes) => {
    expect(isWriter(gateway(given))).toBe(writes);
  });
});
