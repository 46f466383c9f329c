import { expect, test } from "vitest";
import { parseNexthops } from "./nexthops.ts";

test("parseNexthops() tells plain nexthops from groups", () => {
  const text = `[{"id":1291845633,"group":[{"id":1308491777},{"id":1308491776,"weight":256}],"type":"resilient",
      "resilient_args":{"buckets":128,"idle_timer":10,"unbalanced_timer":120,"unbalanced_time":0},"protocol":"77","flags":[]},
    {"id":1308491776,"dev":"mrd0","scope":"host","protocol":"77","flags":[]},
    {"id":1308491777,"dev":"mrd0","scope":"host","protocol":"77","flags":[]}]`;
  expect(parseNexthops(text)).toEqual({
    ok: true,
    value: {
      nexthops: new Map([
        [1308491776, "mrd0"],
        [1308491777, "mrd0"],
      ]),
      groups: new Map([
        [
          1291845633,
          [
            { id: 1308491776, weight: 256 },
            { id: 1308491777, weight: 1 },
          ],
        ],
      ]),
    },
  });
});

test("parseNexthops() reads no output as none", () => {
  expect(parseNexthops("")).toEqual({ ok: true, value: { nexthops: new Map(), groups: new Map() } });
});
