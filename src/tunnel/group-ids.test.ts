import fc from "fast-check";
import { expect, test } from "vitest";
import { groupIds } from "./group-ids.ts";
import { GROUP_IDS, nexthopIds } from "./ours.ts";
import { cluster } from "./testbed-plan.ts";

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/).map(cluster), { maxLength: 300 });

test("groupIds() are distinct, in our range, apart from the nexthops' and the same in any order", () => {
  fc.assert(
    fc.property(names, (clusters) => {
      const ids = groupIds(clusters);
      expect(new Set(ids.values()).size).toBe(clusters.length);
      for (const id of ids.values()) {
        expect(id).toBeGreaterThanOrEqual(GROUP_IDS.first);
        expect(id).toBeLessThan(nexthopIds(0)[0] ?? 0);
      }
      expect([...groupIds([...clusters].reverse())].sort()).toEqual([...ids].sort());
    }),
  );
});

test("groupIds() do not move when other members come", () => {
  const [a, b] = [cluster("a"), cluster("b")];
  expect(groupIds([a, b]).get(b)).toBe(groupIds([b]).get(b));
});
